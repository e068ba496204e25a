import { matches } from '../../model/filter/evaluate.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, printPointer } from '../../model/pointer.ts'

/**
 * Answers correlation filters of the shape `attr eq value`, and `and`/`or` of those, from hash tables. It holds the attributes
 * that were asked for, never an object; what it cannot answer exactly is the target's to answer.
 */
export class TargetIndex {
  /** One table a pointer, by the pointer as text. */
  readonly #tables: ReadonlyMap<string, { readonly pointer: Pointer; readonly table: Table }>

  constructor(pointers: readonly Pointer[]) {
    this.#tables = new Map(pointers.map((pointer) => [printPointer(pointer), { pointer, table: new Map() }]))
  }

  covers(pointers: readonly Pointer[]): boolean {
    return pointers.every((pointer) => this.#tables.has(printPointer(pointer)))
  }

  get pointers(): readonly Pointer[] {
    return [...this.#tables.values()].map(({ pointer }) => pointer)
  }

  add(id: string, object: JsonObject): void {
    this.#each(object, (table, key) => {
      const held = table.get(key)
      if (held === undefined || held === id) table.set(key, id)
      else if (typeof held === 'string') table.set(key, new Set([held, id]))
      else held.add(id)
    })
  }

  remove(id: string, object: JsonObject): void {
    this.#each(object, (table, key) => {
      const held = table.get(key)
      if (held === id) table.delete(key)
      else if (held instanceof Set) held.delete(id)
    })
  }

  #each(object: JsonObject, act: (table: Table, key: string) => void): void {
    for (const { pointer, table } of this.#tables.values()) {
      const value = pointer.length === 1 && pointer[0] === '_id' ? object._id : getAt(object, pointer)
      for (const one of Array.isArray(value) ? value : [value]) {
        const key = keyOf(one)
        if (key !== undefined) act(table, key)
      }
    }
  }

  /** Ids of the objects that match; undefined if only the target knows. */
  find(filter: Filter): ReadonlySet<string> | undefined {
    return joinable(filter) ? this.#find(filter) : undefined
  }

  #find(filter: Filter): ReadonlySet<string> {
    if (filter.kind === 'compare') return this.#equal(filter.pointer, filter.value)
    if (filter.kind !== 'and' && filter.kind !== 'or') return new Set()
    const [first, ...others] = filter.filters.map((one) => this.#find(one))
    return others.reduce(
      (a, b) => (filter.kind === 'and' ? a.intersection(b) : a.union(b)),
      first ?? new Set(),
    )
  }

  #equal(pointer: Pointer, value: Json): ReadonlySet<string> {
    const held = this.#tables.get(printPointer(pointer))?.table.get(keyOf(value) ?? '')
    return held instanceof Set ? held : new Set(held === undefined ? [] : [held])
  }
}

/** Value → ids. Most values have one id, so a lone id is kept without a set. */
type Table = Map<string, string | Set<string>>

/** The type is part of the key: values of different types never match. */
function keyOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return `s${value}`
  if (typeof value === 'number' || typeof value === 'boolean') return `v${value}`
  return undefined
}

/** True for `eq` comparisons and their conjunctions and disjunctions. */
export function joinable(filter: Filter): boolean {
  if (filter.kind === 'compare') return filter.operator === 'eq' && keyOf(filter.value) !== undefined
  if (filter.kind === 'and' || filter.kind === 'or')
    return filter.filters.length > 0 && filter.filters.every(joinable)
  return false
}

/** The pointers a joinable filter compares. */
export function comparedPointers(filter: Filter): readonly Pointer[] {
  if (filter.kind === 'compare') return [filter.pointer]
  if (filter.kind === 'and' || filter.kind === 'or') return filter.filters.flatMap(comparedPointers)
  return []
}

/** Could this object match, however the target compares case? Too careful costs time, too careless makes a duplicate. */
export function mightMatch(filter: Filter, object: JsonObject): boolean {
  return matches(filter, object) || matches(filter, object, { ignoreCase: true })
}
