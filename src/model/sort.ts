import type { Json, JsonObject } from './json.ts'
import { getAt, type Pointer, parsePointer } from './pointer.ts'
import { Problem } from './problem.ts'

/**
 * Sort keys and their order (platform §1.1). Stores sort by the same rules, so both give the same pages.
 */

export interface SortKey {
  readonly pointer: Pointer
  readonly descending: boolean
}

/**
 * Parses `_sortKeys`: a comma list of pointers, each with an optional `+` or `-`. A leading blank is allowed: in a URL,
 * an unescaped `+` becomes one (platform §1.1).
 */
export function parseSortKeys(text: string): readonly SortKey[] {
  return text.split(',').map((key) => {
    const signed = /^[-+ ]/.test(key)
    const pointer = parsePointer(signed ? key.slice(1).trim() : key.trim())
    if (pointer.length === 0)
      throw new Problem('BAD_REQUEST', `_sortKeys "${text}": "${key}" names no property`)
    return { pointer, descending: key.startsWith('-') }
  })
}

/**
 * The order of a query's result (platform §1.1): by the keys, then by `_id`. Null and absent come
 * last in both directions. Booleans come before numbers, strings (by code point), arrays and objects.
 */
export function compareBy(sortKeys: readonly SortKey[]): (a: JsonObject, b: JsonObject) => number {
  const id: SortKey = { pointer: ['_id'], descending: false }
  const keys = [...sortKeys, id]
  return (a, b) => {
    for (const { pointer, descending } of keys) {
      const order = compareValues(getAt(a, pointer), getAt(b, pointer), descending)
      if (order !== 0) return order
    }
    return 0
  }
}

/** Orders strings by code point, as UTF-8 bytes do: `<` compares UTF-16 units and puts U+FF5E after an emoji. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

function compareValues(a: Json | undefined, b: Json | undefined, descending: boolean): number {
  const emptyA = a === undefined || a === null
  const emptyB = b === undefined || b === null
  if (emptyA || emptyB) return Number(emptyA) - Number(emptyB)
  const order = compareJson(a, b)
  return descending ? -order : order
}

function compareJson(a: NonNullable<Json>, b: NonNullable<Json>): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : Number(a > b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  const byType = typeRank(a) - typeRank(b)
  return byType === 0 ? compareText(JSON.stringify(a), JSON.stringify(b)) : byType
}

function typeRank(value: NonNullable<Json>): number {
  return ['boolean', 'number', 'string', 'object'].indexOf(typeof value)
}

/** Surrogates encode the highest code points, but as units they are below U+E000 to U+FFFF. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}
