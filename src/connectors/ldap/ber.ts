/** Steps through elements (tag, length, content) of BER. */
export class Elements {
  readonly bytes: Buffer
  /** Where the next element begins, or the content of the one entered. */
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** Goes to the content of an element, which must have this tag and end before `limit`. Returns where it ends. */
  enter(tag: number, limit: number): number {
    const found = this.bytes[this.at]
    if (found !== tag)
      throw new MalformedMessage(`0x${tag.toString(16)} expected, 0x${found?.toString(16)} found`)
    const end = contentOf(this.bytes, this.at + 1, limit, this)
    if (end === undefined || end > limit)
      throw new MalformedMessage('an element is longer than what contains it')
    return end
  }

  /** Goes behind a whole number of no more than four bytes, and returns it. */
  integer(limit: number): number {
    const end = this.enter(integer, limit)
    let value = 0
    while (this.at < end) value = (value << 8) | (this.bytes[this.at++] ?? 0)
    return value
  }
}

const integer = 0x02

/** A server does not speak LDAP, or something changed its words on the way. */
export class MalformedMessage extends Error {
  constructor(fact: string) {
    super(`A message of the server cannot be understood: ${fact}`)
  }
}

/** Reads a length, moves `reader` to the content, and returns its end; undefined if the length is not there yet. */
export function contentOf(
  bytes: Buffer,
  start: number,
  limit: number,
  reader: { at: number },
): number | undefined {
  if (start >= limit) return undefined
  const first = bytes[start] ?? 0
  if (first < 0x80) {
    reader.at = start + 1
    return reader.at + first
  }
  const digits = first & 0x7f
  if (digits === 0 || digits > 4) throw new MalformedMessage(`a length has ${digits} bytes`)
  if (start + digits >= limit) return undefined
  let length = 0
  for (let at = start + 1; at <= start + digits; at++) length = length * 256 + (bytes[at] ?? 0)
  reader.at = start + 1 + digits
  return reader.at + length
}
