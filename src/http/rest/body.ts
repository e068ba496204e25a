import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { parseJson } from '../../model/json-text.ts'
import { messageOf, Problem } from '../../model/problem.ts'

/** Request bodies: JSON in UTF-8, of the type that the operation needs (platform §1.1). */
export interface Body {
  readonly contentType: string | undefined
  readonly bytes: Uint8Array
}

/** The value; undefined for an empty body. */
export function parseBody({ contentType, bytes }: Body): Json | undefined {
  if (bytes.length === 0) return undefined
  checkContentType(contentType)
  const text = decode(bytes)
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof Problem) throw error
    // The JSON parser quotes the text at the error, which may be a password.
    const [fault] = messageOf(error).split(/, (?:\.\.\.)?"/)
    throw new Problem('BAD_REQUEST', `The body is not JSON: ${fault}`)
  }
}

/** The body of a create or update. */
export function parseObject(body: Body): JsonObject {
  const value = parseBody(body)
  if (value === undefined) throw new Problem('BAD_REQUEST', 'The request needs a body: a JSON object')
  if (!isJsonObject(value)) throw new Problem('BAD_REQUEST', 'The body must be a JSON object')
  return value
}

function checkContentType(contentType: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  if (type.trim() !== 'application/json') {
    throw new Problem(
      'BAD_REQUEST',
      `The body must be application/json, not ${contentType ?? 'of an unnamed type'}`,
    )
  }
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Problem('BAD_REQUEST', `The body must be UTF-8: the content type says ${charset}`)
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Problem('BAD_REQUEST', 'The body is not UTF-8')
  }
}
