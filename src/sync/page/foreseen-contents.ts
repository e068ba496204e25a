import { chunks } from '../../kit/chunks.ts'
import { equal } from '../../model/equality.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { mapLeaves } from '../../model/filter/walk.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { parted } from '../../model/unreadable.ts'
import type { ObjectSet } from '../../router/resources.ts'
import { comparedPointers, joinable, TargetIndex } from './target-index.ts'

/**
 * What targets would hold after a dry run has come this far, as far as correlation asks for it: the properties that its filters
 * have compared. Until a filter is known, only what changes is kept; so a plan that correlates nothing keeps little.
 */
export class ForeseenContents {
  readonly #targets: ObjectSet
  readonly #names = new Set<string>()
  /** Before a filter was known: what changed. */
  #changed = new Map<string, JsonObject>()
  /** The compared properties; undefined: the object would be gone. */
  readonly #contents = new Map<string, JsonObject | undefined>()
  /** Of the contents, without regard to case: each question would look at all of them otherwise. */
  #index: TargetIndex | undefined

  constructor(targets: ObjectSet) {
    this.#targets = targets
  }

  /** `undefined` means absent. */
  wrote(id: string, before: JsonObject | undefined, after: JsonObject | undefined): void {
    if (!after) {
      this.#changed.delete(id)
      this.#set(id, undefined)
    } else if (this.#names.size === 0) {
      const changed = { ...this.#changed.get(id), ...changesOf(before ?? {}, after) }
      if (Object.keys(changed).length > 0) this.#changed.set(id, changed)
    } else if (!before || this.#contents.has(id) || this.#differ(before, after))
      this.#set(id, this.#narrowed(after))
  }

  /** From now on these properties are kept. */
  async learn(pointers: readonly Pointer[], signal: AbortSignal | undefined): Promise<void> {
    for (const [name] of pointers) if (name !== undefined && name !== '_id') this.#names.add(name)
    if (this.#changed.size === 0 || this.#names.size === 0) return
    const changed = [...this.#changed].filter(([, values]) =>
      [...this.#names].some((name) => Object.hasOwn(values, name)),
    )
    this.#changed = new Map()
    for (const part of chunks(changed, 500)) {
      const found = await this.#targets.readMany(
        part.map(([id]) => id),
        signal,
      )
      for (const [id, values] of part) {
        const { object } = parted(found.get(id))
        this.#set(id, this.#narrowed({ ...object, ...values }))
      }
    }
  }

  /** What the target found for a filter, as it would be by then; `matches`: as the target compares. */
  found(ids: readonly string[], filter: Filter, matches: (object: JsonObject) => boolean): readonly string[] {
    if (this.#contents.size === 0) return ids
    const untouched = ids.filter((id) => !this.#contents.has(id))
    const foreseen = [...this.#candidates(filter)].filter((id) => {
      const object = this.#contents.get(id)
      return object !== undefined && matches({ ...object, _id: id })
    })
    return [...untouched, ...foreseen]
  }

  /** Those that might match. */
  #candidates(filter: Filter): Iterable<string> {
    if (!joinable(filter)) return this.#contents.keys()
    const wanted = comparedPointers(filter)
    if (!this.#index?.covers(wanted)) {
      this.#index = new TargetIndex([...(this.#index?.pointers ?? []), ...wanted])
      for (const [id, object] of this.#contents) if (object) this.#index.add(id, foldedObject(id, object))
    }
    const folded = mapLeaves(filter, (leaf) =>
      leaf.kind === 'compare' ? { ...leaf, value: folding(leaf.value) } : leaf,
    )
    return this.#index.find(folded) ?? this.#contents.keys()
  }

  /** An object as it would be; undefined: gone. */
  now<T extends JsonObject>(id: string, object: T): (T & JsonObject) | undefined {
    if (!this.#contents.has(id)) return object
    const foreseen = this.#contents.get(id)
    return foreseen && { ...object, ...foreseen }
  }

  /** Those that would be other than they are. */
  get all(): ReadonlyMap<string, JsonObject | undefined> {
    return this.#contents
  }

  #set(id: string, object: JsonObject | undefined): void {
    const before = this.#contents.get(id)
    if (before) this.#index?.remove(id, foldedObject(id, before))
    if (object) this.#index?.add(id, foldedObject(id, object))
    this.#contents.set(id, object)
  }

  #differ(before: JsonObject, after: JsonObject): boolean {
    return [...this.#names].some((name) => !equal(before[name] ?? null, after[name] ?? null))
  }

  #narrowed(object: JsonObject): JsonObject {
    return Object.fromEntries([...this.#names].map((name) => [name, object[name] ?? null]))
  }
}

function foldedObject(id: string, object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ ...object, _id: id }).map(([name, value]) => [name, folding(value)]),
  )
}

function folding(value: Json): Json {
  if (typeof value === 'string') return value.toLowerCase()
  if (Array.isArray(value)) return value.map(folding)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, folding(one ?? null)]))
}

function changesOf(before: JsonObject, after: JsonObject): JsonObject {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...names].filter((name) => !equal(before[name] ?? null, after[name] ?? null))
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]))
}
