import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { parseSortKeys, type SortKey } from '../model/sort.ts'

/** Checks the arguments of `openidm` functions (platform §7.2). `call` is the name of the function. */
export type Parameters = Readonly<Record<string, string | number | boolean>>

/** Scalars only; nulls are dropped. */
export function parameters(value: unknown, call: string): Parameters {
  if (value === null || value === undefined) return {}
  if (!isJsonObject(value)) throw bad(call, 'the parameters must be an object')
  const result: Record<string, string | number | boolean> = Object.create(null)
  for (const [name, parameter] of Object.entries(value)) {
    if (parameter === null || parameter === undefined) continue
    if (typeof parameter === 'object')
      throw bad(call, `parameter "${name}" must be a string, a number or a boolean`)
    result[name] = parameter
  }
  return result
}

/** Like `parameters`, but for an action: an object or array, such as an inline mapping, becomes JSON text. */
export function actionParameters(value: unknown, call: string): Parameters {
  if (!isJsonObject(value)) return parameters(value, call)
  const asText = ([name, parameter]: [string, Json | undefined]) => [
    name,
    typeof parameter === 'object' && parameter !== null ? JSON.stringify(parameter) : parameter,
  ]
  return parameters(Object.fromEntries(Object.entries(value).map(asText)), call)
}

export function contentObject(value: unknown, call: string): JsonObject {
  if (!isJsonObject(value)) throw bad(call, 'the content must be an object')
  return value
}

/** Null and absent mean none: the server chooses the id; any revision. */
export function optionalText(value: unknown, what: string, call: string): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'string') throw bad(call, `${what} must be a string or null`)
  return value
}

/** `fields` as the last argument: an array of pointers, or a comma list. */
export function fieldList(value: unknown, call: string): readonly Pointer[] | undefined {
  if (value === null || value === undefined) return undefined
  const names = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(names)) throw bad(call, 'the fields must be an array of strings')
  return names.map((name: Json) => {
    if (typeof name !== 'string') throw bad(call, 'the fields must be an array of strings')
    return parsePointer(name.trim())
  })
}

export function sortKeyList(value: Json | undefined, call: string): readonly SortKey[] | undefined {
  if (value === null || value === undefined) return undefined
  const text = Array.isArray(value) ? value.join(',') : value
  if (typeof text !== 'string') throw bad(call, '_sortKeys must be a string or an array of strings')
  return parseSortKeys(text)
}

export function texts(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
}

export function bad(call: string, fact: string): Problem {
  return new Problem('BAD_REQUEST', `openidm.${call}: ${fact}`)
}
