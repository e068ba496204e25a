import type { JsonObject } from '../../model/json.ts'

/**
 * Documents as they are stored: JSON text in UTF-8, `_id` first. Half a surrogate pair has no UTF-8 and becomes
 * U+FFFD, so that what is stored can be compared and sorted.
 */
export function documentText(document: JsonObject): string {
  const text = JSON.stringify(document)
  return text.includes('\\ud')
    ? text.replace(loneSurrogates, (found) => (found === '\\\\' ? found : '\ufffd'))
    : text
}

/** `JSON.stringify` escapes surrogates exactly where they stand alone. An escaped backslash may come before a `u`. */
const loneSurrogates = /\\\\|\\ud[89a-f][0-9a-f]{2}/g

export function documentOf(text: unknown): JsonObject {
  return JSON.parse(text as string) as JsonObject
}
