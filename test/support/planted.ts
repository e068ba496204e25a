/** Secrets that tests plant, and everything in which one of them may be found again. */
import { randomBytes } from 'node:crypto'
import type { Json } from '../../src/model/json.ts'

/** What people call a secret, in camel, snake, kebab and other cases. */
export const secretNames = [
  ...['password', 'pwd', 'passwd', 'userPassword', 'unicodePwd', 'bindPassword', 'db_password'],
  ...['smtp-password', 'passphrase', 'passPhrase', 'pass-phrase', 'passcode', 'pin', 'doorPin', 'userPIN'],
  ...['secret', 'clientSecret', 'client_secret', 'client-secret', 'token', 'accessToken', 'refresh_token'],
  ...['apiKey', 'api_key', 'x-api-key', 'API_KEY', 'privateKey', 'private_key', 'signing-key', 'credentials'],
] as const

/** In the middle of a value: what JSON, URLs, CSV, SQL, properties and templates treat in their own way. */
const hostile = [
  ...['', '"', "'", '\\', '"quoted"', '{"a":["b"]}', '%41%zz%', 'ü€😀', '&amp;<b>', ';--', ' $1 $& ', '\t'],
  ...['a=b&c=d', '+/=', '\u2028', '<%= x %>'],
]

/** Secrets of one kind, random in each run, which can be told from others wherever they are found. */
export class Planted {
  readonly #mark = `k${randomBytes(8).toString('hex')}`
  /** As digits: for values that are numbers, or look like ones. */
  readonly #digits = `7${randomBytes(4).readUInt32BE().toString().padStart(10, '0')}`
  #count = 0

  /** Another value: a text with something hostile in it, digits, or a number. */
  next(): string | number {
    const count = ++this.#count
    if (count % 10 === 0) return Number(`${this.#digits}${count % 1000}`)
    if (count % 10 === 5) return `0${this.#digits}${count}e5`
    return this.text()
  }

  text(): string {
    const count = ++this.#count
    return `${this.#mark}${count}${hostile[count % hostile.length]}${count}${this.#mark}`
  }

  /** A value for every name. */
  named(names: readonly string[] = secretNames): Record<string, string | number> {
    return Object.fromEntries(names.map((name) => [name, this.next()]))
  }

  /** Where one of them stands in the text or in the bytes, in clear or encoded, and what is around it. */
  foundIn(content: string | Buffer): string | undefined {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (const form of this.#forms()) {
      const at = bytes.indexOf(form)
      if (at >= 0) return bytes.subarray(Math.max(0, at - 200), at + 100).toString()
    }
    return undefined
  }

  #forms(): readonly string[] {
    const marks = [this.#mark, this.#digits]
    const turned = marks.map((mark) => [...mark].reverse().join(''))
    return [...marks, ...turned].flatMap((mark) => [mark, mark.toUpperCase(), hex(mark), ...inBase64(mark)])
  }
}

function hex(text: string): string {
  return Buffer.from(text).toString('hex')
}

/** What of the text stands in Base64 of anything that contains it: wherever it begins, without its first and last bits. */
function inBase64(text: string): readonly string[] {
  return [0, 1, 2].map((before) =>
    Buffer.from(`${'x'.repeat(before)}${text}`)
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  )
}

/** Any JSON with each of the values below another object and in lists. */
export function nested(values: Readonly<Record<string, Json>>): Record<string, Json> {
  const all = Object.entries(values)
  const half = all.length >> 1
  return {
    settings: { inner: Object.fromEntries(all.slice(0, half)) },
    list: all.slice(half).map(([name, value]) => ({ name: 'x', [name]: value })),
  }
}
