import { inspect } from 'node:util'
import { mask } from '../../model/secrecy.ts'

/**
 * The values of attributes between a connector and Syncline: JSON, and types that JSON lacks. In short:
 *
 * | what | as |
 * |---|---|
 * | text | `string` |
 * | numbers | `number`; whole numbers beyond ±2^53−1 as text, so that nothing is rounded |
 * | bytes | `Uint8Array`; Base64 everywhere else, in filters too |
 * | dates | text as `dateText` writes it, with as many digits of a second as the system has |
 * | secrets | `Secret` |
 * | several values | an array; an attribute without value is absent, never `[]` or `null` |
 */
export type Value = null | boolean | number | string | Uint8Array | Secret | readonly Value[] | ValueObject
export type ValueObject = { readonly [name: string]: Value | undefined }

/** Attributes by their native names. */
export type Attributes = { [name: string]: Value | undefined }

/** A value that cannot be logged by mistake: it always prints as a mask. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The only way to the text. */
  reveal(): string {
    return this.#text
  }

  /** Equal texts; `===` compares identities. */
  equals(other: Secret): boolean {
    return this.#text === other.#text
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  [inspect.custom](): string {
    return mask
  }
}

/** The text of a secret, or a plain text itself. */
export function revealed(value: Value): Exclude<Value, Secret> {
  return value instanceof Secret ? value.reveal() : value
}

function isValueObject(value: Value | undefined): value is ValueObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !isValueList(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Secret)
  )
}

export function attribute(attributes: ValueObject, name: string): Value | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined
}

/** Sets a member with any name, even `__proto__`. */
export function setAttribute(attributes: Attributes, name: string, value: Value): void {
  if (name !== '__proto__') attributes[name] = value
  // An assignment would replace the prototype instead of adding a key.
  else
    Object.defineProperty(attributes, name, { value, writable: true, enumerable: true, configurable: true })
}

/** `Array.isArray` does not narrow to read-only arrays. */
export function isValueList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

/** All values of an attribute; empty without a value. */
export function valuesOf(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === null) return []
  return isValueList(value) ? value : [value]
}

/** Same value: bytes by content, secrets by text, objects in any order of members. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || canonical(a ?? null) === canonical(b ?? null)
}

/** A text that is equal only for equal values. Holds secrets in plaintext: never print it. */
function canonical(value: Value): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (value instanceof Secret) return `secret ${JSON.stringify(value.reveal())}`
  if (isValueList(value)) return `[${value.map(canonical).join()}]`
  if (!isValueObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).flatMap(([name, one]) =>
    one === undefined ? [] : [`${JSON.stringify(name)}:${canonical(one)}`],
  )
  return `{${members.toSorted().join()}}`
}

const datePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/

/** A point in time as connectors write it: ISO 8601 in UTC, e.g. `2026-01-31T08:05:00.000Z`. */
export function dateText(date: Date): string {
  return date.toISOString()
}

/** The point in time of such a text, to the millisecond; undefined for other texts. */
export function dateOf(value: Value | undefined): Date | undefined {
  if (typeof value !== 'string' || !datePattern.test(value)) return undefined
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}
