import type { Filter } from '../../model/filter/filter.ts'
import type { ForeseenValues } from '../../model/foreseen-values.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Objects } from '../../repository/objects.ts'
import type { FailedProperty } from '../policies/validator.ts'
import type { CompiledType } from '../type/compile.ts'

/** An object as it would be stored. */
export interface Candidate {
  readonly id: string
  readonly content: JsonObject
}

/** Another write of the page, by which an object may give up a value. */
export interface Giver {
  readonly id: string
  /** As the write expects the object to be stored; undefined: however it is. */
  readonly rev: string | undefined
  /** Undefined: it is deleted. */
  readonly content: JsonObject | undefined
}

/**
 * The policies that look at other objects: `unique` (no other one of the type has the same value) and
 * `no-internal-user-conflict`. What counts is the end of the page: two objects may swap a value, or one take what another one
 * gives up, in whatever order. An object that is refused itself gives nothing up. The values of a whole page are looked up with
 * one query for each property. The check and the write are in one transaction; otherwise two writers could both find a value
 * unused.
 */
export async function conflicts(
  objects: Objects,
  { collection, unique, noInternalUsers }: Pick<CompiledType, 'collection' | 'unique' | 'noInternalUsers'>,
  candidates: readonly Candidate[],
  givers: readonly Giver[] = [],
  /** Objects that count as they are foreseen, not as they are stored: of a dry run. */
  foreseen?: ForeseenValues,
): Promise<ReadonlyMap<Candidate, readonly FailedProperty[]>> {
  const stored: (readonly [string, Stored])[] = []
  for (const property of unique)
    stored.push([property, await ownersOf(objects, collection, property, candidates)])
  const internalNames = await internalUsersAmong(objects, noInternalUsers, candidates)
  let giving = new Map(givers.map((giver) => [giver.id, giver]))
  for (;;) {
    const failed = judge(candidates, stored, giving, foreseen)
    const staying = candidates.filter((one) => failed.has(one) && giving.has(one.id))
    if (staying.length === 0) return withInternal(candidates, failed, noInternalUsers, internalNames)
    const refused = new Set(staying.map(({ id }) => id))
    giving = new Map([...giving].filter(([id]) => !refused.has(id)))
  }
}

/** Which candidates want a value that another object has at the end, as far as `giving` objects give theirs up. */
function judge(
  candidates: readonly Candidate[],
  stored: readonly (readonly [string, Stored])[],
  giving: ReadonlyMap<string, Giver>,
  foreseen: ForeseenValues | undefined,
): Map<Candidate, readonly string[]> {
  const failed = new Map<Candidate, readonly string[]>()
  const taken = new Map(stored.map(([property]) => [property, new Map<Json | undefined, string>()]))
  for (const candidate of candidates) {
    const { id, content } = candidate
    const properties = stored.flatMap(([property, owners]) => {
      const value = content[property]
      if (!isComparable(value)) return []
      const holders = [...(owners.get(value) ?? [])]
      const isHeld = holders.some(
        ([owner, rev]) =>
          owner !== id &&
          !givesUp(giving.get(owner), rev, property, value) &&
          !foreseen?.givesUp(owner, property, value),
      )
      const planned = foreseen?.holderOf(property, value)
      const isPlanned =
        planned !== undefined && planned !== id && !givesUp(giving.get(planned), undefined, property, value)
      const before = taken.get(property)?.get(value)
      return isHeld || isPlanned || (before !== undefined && before !== id) ? [property] : []
    })
    if (properties.length > 0) failed.set(candidate, properties)
    else
      for (const [property] of stored)
        if (isComparable(content[property])) taken.get(property)?.set(content[property], id)
  }
  return failed
}

function givesUp(
  giver: Giver | undefined,
  rev: string | undefined,
  property: string,
  value: Json | undefined,
): boolean {
  if (!giver || (giver.rev !== undefined && rev !== undefined && giver.rev !== rev)) return false
  return giver.content?.[property] !== value
}

function withInternal(
  candidates: readonly Candidate[],
  failed: ReadonlyMap<Candidate, readonly string[]>,
  noInternalUsers: readonly string[],
  internalNames: ReadonlySet<Json | undefined>,
): ReadonlyMap<Candidate, readonly FailedProperty[]> {
  const all = candidates.flatMap((candidate) => {
    const internal = noInternalUsers.filter((name) => internalNames.has(candidate.content[name]))
    const properties = [...internal, ...(failed.get(candidate) ?? [])]
    if (properties.length === 0) return []
    const found = properties.map((property) => ({
      ...{ property, policyRequirements: [{ policyRequirement: 'UNIQUE' }] },
    }))
    return [[candidate, found] as const]
  })
  return new Map(all)
}

/** Value → the objects that have it, with their revisions. */
type Stored = Map<Json | undefined, Map<string, string>>

async function ownersOf(
  objects: Objects,
  collection: string,
  property: string,
  candidates: readonly Candidate[],
): Promise<Stored> {
  const owners: Stored = new Map()
  const values = [...new Set(candidates.map(({ content }) => content[property]).filter(isComparable))]
  if (values.length === 0) return owners
  const filter: Filter = { kind: 'compare', operator: 'in', pointer: [property], value: values }
  const { result } = await objects.query(collection, { filter })
  for (const { _id, _rev, [property]: value } of result)
    if (isComparable(value)) owners.set(value, (owners.get(value) ?? new Map()).set(_id, _rev))
  return owners
}

/** Absence, null and the empty text may occur any number of times. */
function isComparable(value: Json | undefined): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

const internalUsers = 'internal/user'
/** They are on every server, whether or not they are stored. */
const standing = ['openidm-admin', 'anonymous']

async function internalUsersAmong(
  objects: Objects,
  properties: readonly string[],
  candidates: readonly Candidate[],
): Promise<ReadonlySet<Json | undefined>> {
  const values = candidates.flatMap(({ content }) => properties.map((name) => content[name]))
  const names = new Set(values.filter((value) => typeof value === 'string').filter((value) => value !== ''))
  const found = names.size > 0 ? await objects.read(internalUsers, [...names]) : new Map()
  return new Set([...standing, ...found.keys()])
}
