import type { Json } from './json.ts'

/** What JavaScript takes for true: so the original understands the values of conditions. */
export function isTrueLike(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}
