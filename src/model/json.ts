/**
 * Identity data as JSON: plain values, no classes. `null` is a value; `undefined` means absent.
 *
 * Keys come from outside. So members are read and written only through `member` and `setMember`, which ignore
 * prototypes: `__proto__` is a key like any other.
 */
export type Json = null | boolean | number | string | Json[] | JsonObject
export type JsonObject = { [key: string]: Json | undefined }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object itself; an empty one instead of anything else. */
export function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

/** The elements of an array; anything else is the only element. */
export function elementsOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value]
}

export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function setMember(object: JsonObject, key: string, value: Json): void {
  if (key !== '__proto__') object[key] = value
  // An assignment would replace the prototype instead of adding a key.
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}
