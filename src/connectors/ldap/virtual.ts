import { AndFilter, type Entry, ExtensibleFilter, type Filter, NotFilter, PresenceFilter } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import type { Value } from '../kit/values.ts'

/**
 * An attribute that no entry has: the connector makes it of others, `__ENABLE__` of a bit of userAccountControl. Which ones there
 * are, the profile of the server says; reading, writing and filters only go through its list.
 */
export interface VirtualAttribute {
  readonly name: string
  readonly type: 'boolean' | 'string' | 'date'
  /** The attributes that it is made of, each of one value. It is there where the object class has all of them. */
  readonly from: readonly string[]
  /** False: a search gives what it is made of only where that is asked for. */
  readonly returnedByDefault: boolean
  /** What an attribute holds besides stays: a change names the value that it replaces, and fails if that is another one meanwhile. */
  readonly sharesItsAttribute: boolean
  /** It can be written to an entry that is there only: a new one gets it in a second request. */
  readonly needsEntry?: boolean
  /** Undefined: there is no value. */
  read(state: State): Value | undefined
  /** The attributes to set, undefined for none; null clears. Absent: it can be read only. */
  write?(value: Value, state: State): Written
  /** Finds the entries that have this value; undefined: only a reading tells. */
  filter?(value: unknown): Filter | undefined
}

/** Values of an entry, by name of the attribute in lower case. */
export type State = ReadonlyMap<string, string | Buffer>
export type Written = Readonly<Record<string, string | Buffer | undefined>>

export function stateOf(entry: Entry | undefined): State {
  return new Map(
    Object.entries(entry ?? {}).flatMap(([name, given]) => {
      const [value] = Array.isArray(given) ? given : [given]
      return value === undefined ? [] : [[name.toLowerCase(), value] as const]
    }),
  )
}

export function stateAfter(state: State, written: Written): State {
  const after = new Map(state)
  for (const [name, value] of Object.entries(written))
    if (value === undefined) after.delete(name.toLowerCase())
    else after.set(name.toLowerCase(), value)
  return after
}

/** The value as it is read after it was written. */
export function heldVirtual(attribute: VirtualAttribute, value: Value): Value {
  const written = attribute.write?.(value, new Map())
  return written ? (attribute.read(stateAfter(new Map(), written)) ?? null) : value
}

export function refused(attribute: string, fact: string): ConnectorError {
  return new ConnectorError('invalidValue', `${attribute} ${fact}`, { attribute })
}

/** Undefined for what is neither true nor false. */
export function yesOrNo(value: unknown): boolean | undefined {
  const word = typeof value === 'string' ? value.toLowerCase() : value
  return word === true || word === 'true' ? true : word === false || word === 'false' ? false : undefined
}

export function requireYesOrNo(value: Value, name: string): boolean {
  const found = yesOrNo(value)
  if (found !== undefined) return found
  throw refused(name, value === null ? 'has no value; it is true or false' : 'is neither true nor false')
}

/** Entries that have the attribute and, of its bits, all of these (or, with `isSet` false, not all of them). */
export function bitFilter(attribute: string, bits: number, isSet: boolean): Filter {
  const set = new ExtensibleFilter({
    rule: '1.2.840.113556.1.4.803',
    matchType: attribute,
    value: String(bits),
  })
  return new AndFilter({
    filters: [new PresenceFilter({ attribute }), isSet ? set : new NotFilter({ filter: set })],
  })
}

/** Only wrong passwords lock an account; a write can end that. */
export function requireUnlocking(value: Value): void {
  if (value !== null && requireYesOrNo(value, '__LOCK_OUT__'))
    throw refused(
      '__LOCK_OUT__',
      'cannot be set to true: only wrong passwords lock an account; __ENABLE__ false keeps everybody out',
    )
}
