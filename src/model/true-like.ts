import type { Json } from './json.ts'

/** Values that JavaScript treats as true. OpenIDM reads the values of conditions in this way. */
export function isTrueLike(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}
