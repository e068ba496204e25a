import type { Change } from './diff.ts'
import type { Filter } from './filter/filter.ts'
import { isJsonObject, type Json } from './json.ts'
import type { Pointer } from './pointer.ts'

/** Stands for a value that must not be read by whoever reads a plan or a record. */
export const mask = '••••••'

/**
 * Changes as they may be shown and kept: that an attribute changes, but not from what to what, where the object set
 * calls it secret, where the value is encrypted, hashed or made from a secret, or where its name says what it is.
 */
export function maskChanges(
  changes: readonly Change[],
  isSecret: (pointer: Pointer) => boolean = () => false,
): readonly Change[] {
  if (changes.length === 0) return changes
  return changes.map((change) =>
    isMasked(change, isSecret)
      ? { pointer: change.pointer, before: masked(change.before), after: masked(change.after) }
      : change,
  )
}

export function isMasked(
  { pointer, before, after, secret = false }: Change,
  isSecret: (pointer: Pointer) => boolean = () => false,
): boolean {
  const isInside = pointer.includes('$crypto')
  return (
    secret || isInside || isSecret(pointer) || namesSecret(pointer) || isSealed(before) || isSealed(after)
  )
}

/** A filter as it may be shown: not with what a secret is compared. */
export function maskFilter(filter: Filter, isSecret: (pointer: Pointer) => boolean): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { ...filter, filters: filter.filters.map((one) => maskFilter(one, isSecret)) }
    case 'not':
      return { ...filter, filter: maskFilter(filter.filter, isSecret) }
    case 'compare':
      return isSecret(filter.pointer) || namesSecret(filter.pointer) ? { ...filter, value: mask } : filter
    default:
      return filter
  }
}

export function namesSecret(pointer: Pointer): boolean {
  return pointer.some((name) => /passw(or)?d|pwd|secret|credential/i.test(name))
}

function isSealed(value: Json | undefined): boolean {
  return isJsonObject(value) && '$crypto' in value
}

function masked(value: Json | undefined): Json | undefined {
  return value === undefined || value === null ? value : mask
}
