import type { Json } from '../../model/json.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Client } from '../sql/address.ts'
import type { Cell } from '../sql/column.ts'
import { momentOf, sqlTimestamp } from '../sql/times.ts'

/**
 * A statement of a script for a database: its question marks become the parameters of that database, but not those in texts, names
 * and comments. As with JDBC, `??` stands for a question mark that belongs to an operator.
 */
export function placed(
  sql: string,
  client: Client,
  parameter: (place: number) => string,
): { readonly sql: string; readonly places: number } {
  let places = 0
  const text = sql.replace(pieces[client], (piece) => {
    if (piece === '?') return parameter(++places)
    return piece === '??' ? '?' : piece
  })
  return { sql: text, places }
}

const common = String.raw`\?\?|\?|--[^\n]*|/\*[\s\S]*?\*/`
const doubled = `'(?:[^']|'')*'|"(?:[^"]|"")*"`
const escaped = String.raw`'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"`

/** What a question mark means nothing in, and question marks. */
const pieces: Readonly<Record<Client, RegExp>> = {
  postgres: new RegExp(
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|${doubled}|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|${common}`,
    'g',
  ),
  mysql: new RegExp(`${escaped}|\`[^\`]*\`|#[^\\n]*|${common}`, 'g'),
  sqlite: new RegExp(`${doubled}|\`[^\`]*\`|\\[[^\\]]*\\]|${common}`, 'g'),
  sqlserver: new RegExp(`${doubled}|\\[(?:[^\\]]|\\]\\])*\\]|${common}`, 'g'),
}

/** A parameter as databases take it. Never shown: it may be a password. */
export function cellOf(value: Json, place: number, client: Client): Cell {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number')
    return client === 'sqlite' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean') return client === 'postgres' ? String(value) : Number(value)
  if (!Array.isArray(value)) {
    const { timestamp, base64 } = value
    if (typeof base64 === 'string') return new Uint8Array(Buffer.from(base64, 'base64'))
    const moment = typeof timestamp === 'string' ? momentOf(timestamp) : undefined
    if (moment) return client === 'sqlite' ? String(timestamp) : sqlTimestamp(moment, 6)
  }
  throw new ConnectorError(
    'invalidValue',
    `parameter ${place} is a list or an object; a database takes texts, numbers, true, false, null, dates, and { base64: "…" } for bytes`,
  )
}
