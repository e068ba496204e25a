import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Objects } from '../../repository/objects.ts'
import type { FailedProperty } from '../policies/validator.ts'

const internalUsers = 'internal/user'
/** There is one on every server, whether or not it is stored. */
const standing = ['openidm-admin', 'anonymous']

/** The policy `no-internal-user-conflict`: one look for the values of a whole page. */
export async function internalUserConflicts(
  objects: Objects,
  properties: readonly string[],
  candidates: readonly Candidate[],
): Promise<(candidate: Candidate) => readonly FailedProperty[]> {
  const values = candidates.flatMap(({ content }) => properties.map((name) => content[name]))
  const names = new Set(values.filter((value) => typeof value === 'string' && value !== ''))
  const found = names.size > 0 ? await objects.read(internalUsers, [...names] as string[]) : new Map()
  const taken = new Set<Json | undefined>([...standing, ...found.keys()])
  return ({ content }) =>
    properties
      .filter((name) => taken.has(content[name]))
      .map((property) => ({ property, policyRequirements: [{ policyRequirement: 'UNIQUE' }] }))
}

/** An object as it would be stored. */
export interface Candidate {
  readonly id: string
  readonly content: JsonObject
}

/**
 * The policy `unique`: no other object of the type has the same value. The values of a whole page are looked up with one
 * query for each property, and objects of the page are compared with each other, too: the check is called for each
 * candidate in the order of writing. The check and the write are in one transaction; otherwise two writers could both find
 * a value unused.
 */
export async function uniqueness(
  objects: Objects,
  collection: string,
  properties: readonly string[],
  candidates: readonly Candidate[],
): Promise<(candidate: Candidate) => readonly FailedProperty[]> {
  const owners = new Map<string, Owners>()
  for (const property of properties)
    owners.set(property, await ownersOf(objects, collection, property, candidates))
  return (candidate) => {
    const taken = properties.filter((property) =>
      isTaken(owners.get(property), candidate, candidate.content[property]),
    )
    if (taken.length === 0) {
      for (const property of properties) claim(owners.get(property), candidate, candidate.content[property])
    }
    return taken.map((property) => ({ property, policyRequirements: [{ policyRequirement: 'UNIQUE' }] }))
  }
}

/** Value → ids of the objects that have it. */
type Owners = Map<Json, Set<string>>

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
  for (const { _id, [property]: value } of result) if (isComparable(value)) add(owners, value, _id)
  return owners
}

function isTaken(owners: Owners | undefined, { id }: Candidate, value: Json | undefined): boolean {
  const ids = isComparable(value) ? owners?.get(value) : undefined
  return ids !== undefined && [...ids].some((owner) => owner !== id)
}

function claim(owners: Owners | undefined, { id }: Candidate, value: Json | undefined): void {
  if (owners && isComparable(value)) add(owners, value, id)
}

function add(owners: Owners, value: Json, id: string): void {
  const ids = owners.get(value)
  if (ids) ids.add(id)
  else owners.set(value, new Set([id]))
}

/** Absence, null and the empty text may occur any number of times. */
function isComparable(value: Json | undefined): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}
