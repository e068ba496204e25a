import { isJsonObject, type Json, type JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'
import { type IsSecret, mask } from './secrecy.ts'

/** Shorter secrets are recognized only as a whole value: two digits are part of many values. */
const longEnough = 4

/** Secrets in clear text, to recognize values that were made from them, in clear or in the forms in which texts are carried. */
export class SecretValues {
  readonly #texts = new Set<string>()
  /** Of those that are long enough; longer ones first, because one may contain another. Made when they are needed. */
  #forms: readonly string[] | undefined

  constructor(values: readonly Json[] = []) {
    for (const value of values) this.add(value)
  }

  get empty(): boolean {
    return this.#texts.size === 0
  }

  /** Adds every text and number in the value. */
  add(value: Json | undefined): void {
    for (const text of textsIn(value)) if (text !== '') this.#texts.add(text)
    this.#forms = undefined
  }

  /** Adds the values of an object that `isSecret` declares secret. */
  addFrom(object: JsonObject | undefined, isSecret: IsSecret): void {
    for (const [name, value] of Object.entries(object ?? {}))
      if (!name.startsWith('_') && isSecret([name])) this.#addBelow([name], value, isSecret)
  }

  /** Is the value one of them, or does it contain one? */
  areIn(value: Json | undefined): boolean {
    if (this.empty) return false
    return textsIn(value).some((text) => {
      if (this.#texts.has(text)) return true
      return this.#contained().some((form) => text.includes(form))
    })
  }

  /** The text, with each secret in it replaced by the mask. */
  hiddenIn(text: string): string {
    if (this.#texts.has(text)) return mask
    return this.#contained().reduce((hidden, form) => hidden.replaceAll(form, mask), text)
  }

  /** What they look like within other texts. */
  #contained(): readonly string[] {
    this.#forms ??= [...this.#texts]
      .filter((secret) => secret.length >= longEnough)
      .flatMap(formsOf)
      .toSorted((one, other) => other.length - one.length)
    return this.#forms
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

/** The text as it is, in JSON, in a URL and in Base64. */
function formsOf(text: string): readonly string[] {
  const inJson = JSON.stringify(text).slice(1, -1)
  // A half of a surrogate pair cannot be in a URL.
  const inUrl = text.isWellFormed() ? encodeURIComponent(text) : text
  return [...new Set([text, inJson, inUrl, ...inBase64(text)])]
}

/** What of the text stands in the Base64 of anything that contains it, wherever it begins there. */
function inBase64(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  if (bytes.length < 2 * longEnough) return []
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    // Without characters that also stand for bits of what is around it.
    const end = Math.floor((4 * (before + bytes.length)) / 3)
    return encoded.slice(before === 0 ? 0 : before + 1, end)
  })
}

function textsIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((below) => textsIn(below))
}
