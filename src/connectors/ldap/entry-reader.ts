import { isUtf8 } from 'node:buffer'
import type { Entry } from 'ldapts'
import { Elements } from './ber.ts'

/**
 * Reads entries from the bytes of search results (RFC 4511, section 4.5.2). Most of a run's reading time is spent here, so it does
 * nothing twice: the names of attributes, the same in nearly every entry, are recognised by their bytes, and only values
 * that are no ASCII are checked for UTF-8.
 */
export class EntryReader {
  readonly #binary: ReadonlySet<string>
  readonly #known = new Map<number, Description>()

  /** `binary`: attributes whose values are bytes even where they look like text. */
  constructor(binary: readonly string[]) {
    this.#binary = new Set(binary.map((name) => name.toLowerCase()))
  }

  /** The entry in the content of a SearchResultEntry. One value stands bare, several in a list, as ldapts gives them. */
  read(bytes: Buffer, start: number, end: number): Entry {
    const ber = new Elements(bytes, start)
    const nameEnd = ber.enter(octetString, end)
    const entry: Entry = { dn: textAt(bytes, ber.at, nameEnd) ?? bytes.toString('utf8', ber.at, nameEnd) }
    ber.at = nameEnd
    const listEnd = ber.enter(sequence, end)
    while (ber.at < listEnd) {
      const attributeEnd = ber.enter(sequence, listEnd)
      const descriptionEnd = ber.enter(octetString, attributeEnd)
      const description = this.#description(bytes, ber.at, descriptionEnd)
      ber.at = descriptionEnd
      entry[description.name] = valuesOf(ber, attributeEnd, description.isBinary)
      ber.at = attributeEnd
    }
    return entry
  }

  #description(bytes: Buffer, start: number, end: number): Description {
    let key = end - start
    for (let at = start; at < end; at++) key = (Math.imul(key, 31) + (bytes[at] ?? 0)) | 0
    const known = this.#known.get(key)
    if (known && isAt(bytes, start, end, known.bytes)) return known
    const name = bytes.toString('utf8', start, end)
    const isBinary = this.#binary.has(name.toLowerCase())
    const found = { name, bytes: Buffer.from(bytes.subarray(start, end)), isBinary }
    // Ranges make names without end: `member;range=1500-2999`.
    if (this.#known.size >= mostDescriptions) this.#known.clear()
    this.#known.set(key, found)
    return found
  }
}

interface Description {
  readonly name: string
  readonly bytes: Buffer
  readonly isBinary: boolean
}

const mostDescriptions = 1_000
const octetString = 0x04
const sequence = 0x30
const set = 0x31

/** One value that is no text makes bytes of all. */
function valuesOf(ber: Elements, end: number, isBinary: boolean): Entry[string] {
  const setEnd = ber.enter(set, end)
  const start = ber.at
  const texts = isBinary ? undefined : textsOf(ber, setEnd)
  if (texts) return texts.length === 1 ? (texts[0] ?? []) : texts
  ber.at = start
  const values = bytesOf(ber, setEnd)
  return values.length === 1 ? (values[0] ?? []) : values
}

function textsOf(ber: Elements, setEnd: number): string[] | undefined {
  const texts: string[] = []
  while (ber.at < setEnd) {
    const end = ber.enter(octetString, setEnd)
    const text = textAt(ber.bytes, ber.at, end)
    if (text === undefined) return undefined
    texts.push(text)
    ber.at = end
  }
  return texts
}

function bytesOf(ber: Elements, setEnd: number): Buffer[] {
  const values: Buffer[] = []
  while (ber.at < setEnd) {
    const end = ber.enter(octetString, setEnd)
    values.push(Buffer.from(ber.bytes.subarray(ber.at, end)))
    ber.at = end
  }
  return values
}

/** Undefined for what is no UTF-8. */
function textAt(bytes: Buffer, start: number, end: number): string | undefined {
  for (let at = start; at < end; at++)
    if ((bytes[at] ?? 0) >= 0x80)
      return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined
  return bytes.toString('latin1', start, end)
}

function isAt(bytes: Buffer, start: number, end: number, expected: Buffer): boolean {
  if (end - start !== expected.length) return false
  for (let at = start; at < end; at++) if (bytes[at] !== expected[at - start]) return false
  return true
}
