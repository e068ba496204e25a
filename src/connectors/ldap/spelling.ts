import { type Value, valuesOf } from '../kit/values.ts'
import { escapedParent, keyOf, parseDn, printRdn, type Rdn, sameDn } from './dn.ts'
import { textValue } from './encoding.ts'
import { lineage, type Subschema } from './subschema.ts'

/**
 * Servers give some values back in another spelling than they were sent: names of entries with other blanks, escapes and case, object classes
 * with those that they extend. A value that is there in another spelling is the same value, and not written again.
 */

/** Names of entries as the entry has them already. */
export function namesAsPresent(names: readonly Value[], present: Value | undefined): readonly Value[] {
  const known = new Map(valuesOf(present ?? null).map((one) => [nameKey(one), one]))
  return names.map((one) => known.get(nameKey(one)) ?? one)
}

/** Two spellings of a name have one key. */
export function nameKey(name: Value): string {
  const text = textValue(name) ?? ''
  const dn = parseDn(text)
  return dn ? keyOf(dn) : text
}

/**
 * The name that an entry will have. A server takes over the spelling of the entry's own part; the parts above it are other entries, and
 * stay as they are spelled there.
 */
export function ownNameAsPresent(wanted: string, present: string): string {
  const [own = [], ...above] = parseDn(wanted) ?? []
  const [before = [], ...presentAbove] = parseDn(present) ?? []
  if (own.length === 0 || !sameDn(above, presentAbove)) return wanted
  return isSpelledAlike(own, before) ? present : [printRdn(own), ...escapedParent(present)].join(',')
}

export function isSpelledAlike(one: Rdn = [], other: Rdn = []): boolean {
  const textOf = (rdn: Rdn) => rdn.map(({ type, value }) => `${type.toLowerCase()}=${value}`).toSorted()
  return textOf(one).join('+') === textOf(other).join('+')
}

/** Object classes as the entry has them, if those are the wanted ones and what they extend. */
export function classesAsPresent(
  wanted: readonly Value[],
  present: Value | undefined,
  schema: Subschema,
): readonly Value[] {
  const there = valuesOf(present ?? null)
  const namesOf = (values: readonly Value[]) => values.map((one) => String(one).toLowerCase())
  const extended = namesOf(wanted).flatMap((one) =>
    lineage(schema, one).map(({ name }) => name.toLowerCase()),
  )
  const allowed = new Set([...namesOf(wanted), ...extended])
  const has = new Set(namesOf(there))
  const isSame = namesOf(wanted).every((one) => has.has(one)) && [...has].every((one) => allowed.has(one))
  return isSame ? there : wanted
}
