import type { JsonObject } from '../../model/json.ts'
import type { StoredObject } from '../objects.ts'
import { text } from './column.ts'

/**
 * Documents as they are stored: JSON text in UTF-8, `_id` first. Half a surrogate pair has no UTF-8 and becomes
 * U+FFFD, so that what is stored can be compared and sorted.
 */
export function documentText(document: JsonObject): string {
  const json = JSON.stringify(document)
  return json.includes('\\ud')
    ? json.replace(loneSurrogates, (found) => (found === '\\\\' ? found : '\ufffd'))
    : json
}

/** `JSON.stringify` escapes surrogates exactly where they stand alone. An escaped backslash may come before a `u`. */
const loneSurrogates = /\\\\|\\ud[89a-f][0-9a-f]{2}/g

export function documentOf(column: unknown): JsonObject {
  return JSON.parse(text(column))
}

/** A document that was stored with its identity and revision. */
export function storedObjectOf(column: unknown): StoredObject {
  return JSON.parse(text(column))
}
