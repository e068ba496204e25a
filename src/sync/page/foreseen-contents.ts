import { chunks } from '../../kit/chunks.ts'
import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { parted } from '../../model/unreadable.ts'
import type { ObjectSet } from '../../router/resources.ts'

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

  constructor(targets: ObjectSet) {
    this.#targets = targets
  }

  /** `undefined` means absent. */
  wrote(id: string, before: JsonObject | undefined, after: JsonObject | undefined): void {
    if (!after) {
      this.#changed.delete(id)
      this.#contents.set(id, undefined)
    } else if (this.#names.size === 0) {
      const changed = { ...this.#changed.get(id), ...changesOf(before ?? {}, after) }
      if (Object.keys(changed).length > 0) this.#changed.set(id, changed)
    } else if (!before || this.#contents.has(id) || this.#differ(before, after))
      this.#contents.set(id, this.#narrowed(after))
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
        this.#contents.set(id, this.#narrowed({ ...object, ...values }))
      }
    }
  }

  /** True if it would be gone. */
  isGone(id: string): boolean {
    return this.#contents.has(id) && this.#contents.get(id) === undefined
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

  #differ(before: JsonObject, after: JsonObject): boolean {
    return [...this.#names].some((name) => !equal(before[name] ?? null, after[name] ?? null))
  }

  #narrowed(object: JsonObject): JsonObject {
    return Object.fromEntries([...this.#names].map((name) => [name, object[name] ?? null]))
  }
}

function changesOf(before: JsonObject, after: JsonObject): JsonObject {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const changed = [...names].filter((name) => !equal(before[name] ?? null, after[name] ?? null))
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]))
}
