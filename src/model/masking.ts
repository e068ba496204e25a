import type { Change } from './diff.ts'
import { isJsonObject, type Json } from './json.ts'
import type { Pointer } from './pointer.ts'

/** Stands for a value that must not be read by whoever reads a plan or a record. */
export const mask = '••••••'

/**
 * Changes as they may be shown and kept: that an attribute changes, but not from what to what, where the object set
 * calls it secret, where the value is encrypted or hashed, or where its name says what it is.
 */
export function maskChanges(
  changes: readonly Change[],
  isSecret: (pointer: Pointer) => boolean = () => false,
): readonly Change[] {
  if (changes.length === 0) return changes
  return changes.map((change) =>
    isMasked(change, isSecret)
      ? { ...change, before: masked(change.before), after: masked(change.after) }
      : change,
  )
}

export function isMasked(
  { pointer, before, after }: Change,
  isSecret: (pointer: Pointer) => boolean = () => false,
): boolean {
  const isInside = pointer.includes('$crypto')
  return isInside || isSecret(pointer) || namesSecret(pointer) || isSealed(before) || isSealed(after)
}

export function namesSecret(pointer: Pointer): boolean {
  return pointer.some((name) => /passw(or)?d|secret|credential/i.test(name))
}

function isSealed(value: Json | undefined): boolean {
  return isJsonObject(value) && '$crypto' in value
}

function masked(value: Json | undefined): Json | undefined {
  return value === undefined || value === null ? value : mask
}
