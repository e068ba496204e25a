import { createHmac } from 'node:crypto'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { getAt, type Pointer } from '../model/pointer.ts'
import type { FileFormat } from './file-sink.ts'
import { inMember } from './policies.ts'
import type { FileHandlerSettings } from './settings.ts'
import { topicFields } from './topics.ts'

/** The column for further fields of an event, as JSON. */
const more = 'more'
/** The column with the hash of a row, named as in OpenIDM. */
export const hashColumn = 'HMAC'

/**
 * CSV files: one column for each field (topics.ts); values that are not text are written as JSON. With a key, each row
 * ends with an HMAC of itself and of the row before it. So a row that was changed, removed, moved or
 * inserted without the key is noticed (verify-csv.ts).
 */
export function csvFormat(
  { quote, delimiter, newline }: FileHandlerSettings['format'],
  key?: Buffer,
): FileFormat {
  const special = new Set([quote, delimiter, '\n', '\r', ' '])
  const field = (value: Json | undefined): string => {
    const text =
      value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
    const isPlain = ![...text].some((one) => special.has(one))
    return isPlain ? text : `${quote}${text.replaceAll(quote, quote + quote)}${quote}`
  }
  const header = (topic: string) =>
    columnsOf(topic, key !== undefined)
      .map(field)
      .join(delimiter)
  return {
    newline,
    fileName: (topic) => `${topic}.csv`,
    header,
    line(topic, content, before) {
      const row = rowOf(topic, content).map(field).join(delimiter)
      if (!key) return { text: row, after: '' }
      const hash = rowHash(key, before || header(topic), row)
      return { text: `${row}${delimiter}${hash}`, after: hash }
    },
  }
}

/** `before`: the hash of the previous row, or the header. */
export function rowHash(key: Buffer, before: string, row: string): string {
  return createHmac('sha256', key).update(`${before}\n${row}`).digest('base64url')
}

function columnsOf(topic: string, hashed: boolean): readonly string[] {
  return [...(topicFields[topic] ?? []), more, ...(hashed ? [hashColumn] : [])]
}

function rowOf(topic: string, content: JsonObject): readonly (Json | undefined)[] {
  const shown = (topicFields[topic] ?? []).map((name) => name.split('.'))
  return [...shown.map((pointer) => getAt(content, pointer)), without(content, shown)]
}

/** The content that no column shows; undefined if there is none. */
function without(content: JsonObject, shown: readonly Pointer[]): JsonObject | undefined {
  const left = Object.entries(content).flatMap(([name, value]) => {
    const inside = inMember(shown, (first) => first === name)
    const isShown = value === undefined || inside.some((pointer) => pointer.length === 0)
    if (isShown || (value === null && inside.length > 0)) return []
    const rest = inside.length > 0 && isJsonObject(value) ? without(value, inside) : value
    return rest === undefined ? [] : [[name, rest] as const]
  })
  return left.length > 0 ? Object.fromEntries(left) : undefined
}
