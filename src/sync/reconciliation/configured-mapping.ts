import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'

/** The mapping in a request: its name, or the mapping itself as an object or, in a parameter, as JSON text. */
export function statedMapping(stated: unknown): string | JsonObject | undefined {
  if (stated === undefined || stated === null || stated === '') return undefined
  if (isJsonObject(stated)) return stated
  if (typeof stated !== 'string')
    throw new Problem('BAD_REQUEST', 'mapping must be the name of a mapping, or a mapping as an object')
  return stated.trimStart().startsWith('{') ? parsed(stated) : stated
}

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject
  } catch (cause) {
    throw new Problem('BAD_REQUEST', `mapping is neither a name nor JSON: ${asProblem(cause).message}`, {
      cause,
    })
  }
}
