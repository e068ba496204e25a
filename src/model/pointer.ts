import type { Json, JsonObject } from './json.ts'

/**
 * Slash pointers of the platform: `givenName`, `/name/givenName`, `mails/0`. Tokens are percent-decoded;
 * there is no ~0/~1 escaping, and a dot is an ordinary character (engine specification §2.4).
 */
export type Pointer = readonly string[]

export function parsePointer(_text: string): Pointer {
  throw new Error('to be written')
}

/** The canonical text: a leading slash, tokens percent-encoded where needed. Root is `''`. */
export function printPointer(_pointer: Pointer): string {
  throw new Error('to be written')
}

/** The value there, or undefined. Never walks into prototypes: only own properties count. */
export function getAt(_root: Json | undefined, _pointer: Pointer): Json | undefined {
  throw new Error('to be written')
}

/**
 * Writes in place, creating missing (and replacing null) intermediate objects; index = length appends to an array.
 * Throws BAD_REQUEST where an intermediate is a scalar or the pointer is the root. `__proto__` is a plain key.
 */
export function setAt(_root: JsonObject, _pointer: Pointer, _value: Json): void {
  throw new Error('to be written')
}

/** Removes in place; true if something was there. */
export function removeAt(_root: JsonObject, _pointer: Pointer): boolean {
  throw new Error('to be written')
}
