import type { Json, JsonObject } from './json.ts'

/** What a dry run would have written: which objects, and what of values of which there is one only. */
export class ForeseenValues {
  readonly #objects = new Map<string, JsonObject | undefined>()
  /** By property, then by value. Lists and objects are nobody's own. */
  readonly #holders = new Map<string, Map<Json, string>>()
  readonly #below: ForeseenValues | undefined

  /** `below`: what was foreseen before; it stays as it is. */
  constructor(below?: ForeseenValues) {
    this.#below = below
  }

  /** Without content: the object is deleted. */
  set(id: string, content: JsonObject | undefined): void {
    this.#objects.set(id, content)
    for (const property in content) {
      const value = content[property] ?? null
      if (value !== null && typeof value !== 'object') this.#holdersOf(property).set(value, id)
    }
  }

  /** The object that has the value now, if one does that was written. */
  holderOf(property: string, value: Json): string | undefined {
    const id = this.#holders.get(property)?.get(value) ?? this.#below?.holderOf(property, value)
    return id !== undefined && this.#contentOf(id)?.[property] === value ? id : undefined
  }

  /** True if the object was written, and does not have the value any more. */
  givesUp(id: string, property: string, value: Json): boolean {
    return this.#has(id) && this.#contentOf(id)?.[property] !== value
  }

  /** True if the object is there because it was written. */
  isThere(id: string): boolean {
    return this.#contentOf(id) !== undefined
  }

  #holdersOf(property: string): Map<Json, string> {
    const known = this.#holders.get(property)
    if (known) return known
    const made = new Map<Json, string>()
    this.#holders.set(property, made)
    return made
  }

  #has(id: string): boolean {
    const below = this.#below
    return this.#objects.has(id) || (below ? below.#has(id) : false)
  }

  #contentOf(id: string): JsonObject | undefined {
    const below = this.#below
    return this.#objects.has(id) || !below ? this.#objects.get(id) : below.#contentOf(id)
  }
}
