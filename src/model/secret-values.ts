import { isJsonObject, type Json, type JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'
import { type IsSecret, mask } from './secrecy.ts'

/** Shorter secrets are recognized only as a whole value: two digits are part of many values. */
const longEnough = 4

/** Secrets in clear text, to recognize values that were made from them. */
export class SecretValues {
  readonly #texts = new Set<string>()

  constructor(values: readonly Json[] = []) {
    for (const value of values) this.add(value)
  }

  /** Adds every text and number in the value. */
  add(value: Json | undefined): void {
    for (const text of textsIn(value)) if (text !== '') this.#texts.add(text)
  }

  /** Adds the values of an object that `isSecret` declares secret. */
  addFrom(object: JsonObject | undefined, isSecret: IsSecret): void {
    for (const [name, value] of Object.entries(object ?? {}))
      if (!name.startsWith('_') && isSecret([name])) this.#addBelow([name], value, isSecret)
  }

  /** Is the value one of them, or does it contain one? */
  areIn(value: Json | undefined): boolean {
    if (this.#texts.size === 0) return false
    return textsIn(value).some((text) => {
      if (this.#texts.has(text)) return true
      return [...this.#texts].some((secret) => secret.length >= longEnough && text.includes(secret))
    })
  }

  /** The text, with each secret in it replaced by the mask. */
  hiddenIn(text: string): string {
    if (this.#texts.has(text)) return mask
    return [...this.#texts]
      .filter((secret) => secret.length >= longEnough)
      .reduce((hidden, secret) => hidden.replaceAll(secret, mask), text)
  }

  #addBelow(path: Pointer, value: Json | undefined, isSecret: IsSecret): void {
    if (!isJsonObject(value)) this.add(value)
    else if (Object.hasOwn(value, '$crypto')) return
    else
      for (const [name, below] of Object.entries(value)) {
        const pointer = [...path, name]
        if (isSecret(pointer)) this.#addBelow(pointer, below, isSecret)
      }
  }
}

function textsIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((below) => textsIn(below))
}
