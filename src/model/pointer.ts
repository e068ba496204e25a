import { isJsonObject, type Json, type JsonObject, member, setMember } from './json.ts'
import { deepest } from './json-text.ts'
import { Problem } from './problem.ts'

/**
 * Slash pointers of the platform: `givenName`, `/name/givenName`, `mails/0`. Tokens are percent-decoded;
 * there is no ~0/~1 escaping, and a dot is an ordinary character (engine §2.4).
 */
export type Pointer = readonly string[]

/** One leading and one trailing slash are dropped; `''` and `/` are the root. BAD_REQUEST for a malformed `%`. */
export function parsePointer(text: string): Pointer {
  if (text === '' || text === '/') return []
  const start = text.startsWith('/') ? 1 : 0
  const end = text.length > 1 && text.endsWith('/') ? text.length - 1 : text.length
  const tokens = text.slice(start, end).split('/')
  if (tokens.length > deepest)
    throw new Problem('BAD_REQUEST', `A pointer has at most ${deepest} names, and this one ${tokens.length}`)
  return text.includes('%') ? tokens.map((token) => decode(token, text)) : tokens
}

/** The canonical text: a leading slash, tokens percent-encoded where needed. Root is `''`. */
export function printPointer(pointer: Pointer): string {
  if (pointer.length === 0) return ''
  let text = ''
  for (const token of pointer) text += `/${encode(token)}`
  // A trailing slash is dropped on reading, so an empty last token needs one of its own.
  return pointer.at(-1) === '' ? `${text}/` : text
}

/** The value at the pointer, or undefined. Prototypes are ignored: only own properties are read. */
export function getAt(root: Json | undefined, pointer: Pointer): Json | undefined {
  let value = root
  for (const token of pointer) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Array.isArray(value) ? element(value, token) : member(value, token)
  }
  return value
}

/**
 * Writes in place, creating missing (and replacing null) intermediate objects; index = length appends to an array.
 * Throws BAD_REQUEST, with nothing written, where an intermediate is a scalar, an index is beyond the array's end
 * or the pointer is the root. `-` addresses no array element; `__proto__` is a plain key.
 */
export function setAt(root: JsonObject, pointer: Pointer, value: Json): void {
  if (pointer.length === 0) throw new Problem('BAD_REQUEST', 'The root cannot be written: name a property')
  let container: JsonObject | Json[] = root
  let depth = 0
  for (; depth < pointer.length - 1; depth++) {
    const next: Json | undefined = getAt(container, [pointer[depth] ?? ''])
    if (next === undefined || next === null) break
    if (typeof next !== 'object') throw notAContainer(pointer, depth, next)
    container = next
  }
  put(container, pointer, depth, nest(pointer, depth + 1, value))
}

/** Removes in place; true if something was there. Later elements of an array move up. */
export function removeAt(root: JsonObject, pointer: Pointer): boolean {
  const key = pointer.at(-1)
  if (key === undefined) return false
  const container = getAt(root, pointer.slice(0, -1))
  if (Array.isArray(container)) {
    const index = indexOf(key)
    if (index === undefined || index >= container.length) return false
    container.splice(index, 1)
    return true
  }
  return isJsonObject(container) && Object.hasOwn(container, key) && delete container[key]
}

/** The array index that a token spells, or undefined: only canonical decimals, so no `-`, `01` or `length`. */
export function indexOf(token: string): number | undefined {
  return /^(0|[1-9]\d{0,14})$/.test(token) ? Number(token) : undefined
}

function element(array: readonly Json[], token: string): Json | undefined {
  const index = indexOf(token)
  return index === undefined ? undefined : array[index]
}

function put(container: JsonObject | Json[], pointer: Pointer, depth: number, value: Json): void {
  const token = pointer[depth] ?? ''
  if (!Array.isArray(container)) {
    setMember(container, token, value)
    return
  }
  const index = indexOf(token)
  if (index === undefined || index > container.length) {
    const place = printPointer(pointer.slice(0, depth))
    const size = container.length
    throw new Problem(
      'BAD_REQUEST',
      `${place} is an array of ${size}: "${token}" is not an index from 0 to ${size}`,
    )
  }
  container[index] = value
}

/** `value` wrapped in the objects that the tokens from `depth` on name. */
function nest(pointer: Pointer, depth: number, value: Json): Json {
  let nested = value
  for (let place = pointer.length - 1; place >= depth; place--) {
    const key = pointer[place] ?? ''
    if (key === '-') throw new Problem('BAD_REQUEST', `"-" in ${printPointer(pointer)} addresses no place`)
    const parent: JsonObject = {}
    setMember(parent, key, nested)
    nested = parent
  }
  return nested
}

function notAContainer(pointer: Pointer, depth: number, found: Json): Problem {
  const place = printPointer(pointer.slice(0, depth + 1))
  return new Problem(
    'BAD_REQUEST',
    `${printPointer(pointer)} cannot be written: ${place} is a ${typeof found}, not an object`,
  )
}

function decode(token: string, text: string): string {
  try {
    return decodeURIComponent(token)
  } catch {
    throw new Problem(
      'BAD_REQUEST',
      `Pointer ${text}: "${token}" is not percent-encoded UTF-8; write % as %25`,
    )
  }
}

/** Characters that would end a token in a pointer, in a filter, or in a comma list of pointers. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be encoded
const reserved = /[\u0000-\u0020\u007f%/,!()"'\\]/
const allReserved = new RegExp(reserved, 'g')

function encode(token: string): string {
  if (!reserved.test(token)) return token
  return token.replace(allReserved, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
