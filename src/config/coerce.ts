/**
 * Coercion objects: `{"$bool": "&{x}"}` turns the text of a property into a value of another type
 * (platform §3.2).
 */
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'

export type Coercion =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly expected: string }

type Convert = (text: string) => Coercion

const conversions: Readonly<Record<string, Convert>> = {
  $string: (text) => ({ ok: true, value: text }),
  $bool: (text) =>
    /^(true|false)$/i.test(text.trim()) ? ok(/^true$/i.test(text.trim())) : failed('true or false'),
  $int: (text) => (isInteger(text) ? ok(Number(text)) : failed('a whole number')),
  $number: (text) =>
    text.trim() !== '' && Number.isFinite(Number(text)) ? ok(Number(text)) : failed('a number'),
  $array: arrayOf,
  $object: (text) => parsed(text, isJsonObject, 'a JSON object'),
  '$base64:decode': (text) =>
    /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)
      ? ok(Buffer.from(text, 'base64').toString('utf8'))
      : failed('base64 text'),
}

/** Includes `$inline`, although the substitution evaluates it: it needs the project's files. */
export const coercionNames: readonly string[] = [...Object.keys(conversions), '$inline']

/** Is this `{"$int": …}` or a similar one? */
export function coercionOf(value: JsonObject): { readonly name: string; readonly operand: Json } | undefined {
  const [name, ...others] = Object.keys(value)
  if (name === undefined || others.length > 0 || !coercionNames.includes(name)) return undefined
  const operand = value[name]
  return operand === undefined ? undefined : { name, operand }
}

/** `operand` is already expanded. A value of the wanted type stays as it is. */
export function coerce(name: string, operand: Json): Coercion {
  const convert = conversions[name]
  if (convert === undefined) return failed(`one of ${coercionNames.join(', ')}`)
  if (name === '$array' && Array.isArray(operand)) return ok(operand)
  if (name === '$object' && isJsonObject(operand)) return ok(operand)
  return convert(typeof operand === 'string' ? operand : JSON.stringify(operand))
}

function isInteger(text: string): boolean {
  return /^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text))
}

/** A JSON array, or a comma-separated list as in property files. */
function arrayOf(text: string): Coercion {
  if (text.trim().startsWith('[')) return parsed(text, Array.isArray, 'a JSON array')
  return ok(text.trim() === '' ? [] : text.split(',').map((item) => item.trim()))
}

function parsed(text: string, accepts: (value: unknown) => boolean, expected: string): Coercion {
  try {
    const value: unknown = JSON.parse(text)
    // What JSON.parse returns is Json by construction.
    return accepts(value) ? ok(value as Json) : failed(expected)
  } catch {
    return failed(expected)
  }
}

function ok(value: Json): Coercion {
  return { ok: true, value }
}

function failed(expected: string): Coercion {
  return { ok: false, expected }
}
