import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Objects } from '../../repository/objects.ts'
import type { FailedProperty } from '../policies/validator.ts'
import type { CompiledType } from '../type/compile.ts'

/** An object as it would be stored. */
export interface Candidate {
  readonly id: string
  readonly content: JsonObject
}

/**
 * The policies that look at other objects: `unique` (no other one of the type has the same value) and
 * `no-internal-user-conflict`. The values of a whole page are looked up with one query for each property, and objects of the
 * page are compared with each other, too: the check is called for each candidate in the order of writing. The check and the
 * write are in one transaction; otherwise two writers could both find a value unused.
 */
export async function conflicts(
  objects: Objects,
  { collection, unique, noInternalUsers }: Pick<CompiledType, 'collection' | 'unique' | 'noInternalUsers'>,
  candidates: readonly Candidate[],
): Promise<(candidate: Candidate) => readonly FailedProperty[]> {
  const owners: (readonly [string, Owners])[] = []
  for (const property of unique)
    owners.push([property, await ownersOf(objects, collection, property, candidates)])
  const internalNames = await internalUsersAmong(objects, noInternalUsers, candidates)
  return ({ id, content }) => {
    const taken = owners.filter(([property, of]) =>
      [...(of.get(content[property]) ?? [])].some((owner) => owner !== id),
    )
    if (taken.length === 0) for (const [property, of] of owners) add(of, content[property], id)
    const internal = noInternalUsers.filter((name) => internalNames.has(content[name]))
    return [...internal, ...taken.map(([property]) => property)].map((property) => ({
      ...{ property, policyRequirements: [{ policyRequirement: 'UNIQUE' }] },
    }))
  }
}

/** Value → ids of the objects that have it. */
type Owners = Map<Json | undefined, Set<string>>

async function ownersOf(
  objects: Objects,
  collection: string,
  property: string,
  candidates: readonly Candidate[],
): Promise<Owners> {
  const owners: Owners = new Map()
  const values = [...new Set(candidates.map(({ content }) => content[property]).filter(isComparable))]
  if (values.length === 0) return owners
  const filter: Filter = { kind: 'compare', operator: 'in', pointer: [property], value: values }
  const { result } = await objects.query(collection, { filter })
  for (const { _id, [property]: value } of result) add(owners, value, _id)
  return owners
}

function add(owners: Owners, value: Json | undefined, id: string): void {
  if (isComparable(value)) owners.set(value, (owners.get(value) ?? new Set()).add(id))
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
