import { equal, equalInAnyOrder } from '../../model/equality.ts'
import { type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import { holdsSealed } from '../../model/secrecy.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { ProposedUpdate } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import {
  type Attributes,
  attribute,
  sameValue,
  type Value,
  type ValueObject,
  valuesOf,
} from '../kit/values.ts'
import { fromNative, isEmpty, toNative } from './convert.ts'
import type { Property } from './object-type.ts'
import type { TypeAccess } from './type-access.ts'

/**
 * The contents of updates as the system would give them back: each value through the types of the configuration to the
 * connector, as the connector says that it holds it, and back. What equals a value that is there has its form. Values that a reading
 * does not show, such as passwords, are compared here, where the connector can read them, and go no further.
 */
export async function heldContents(
  access: TypeAccess,
  updates: readonly ProposedUpdate[],
): Promise<readonly JsonObject[]> {
  const unseen = await unseenValues(access, updates)
  return Promise.all(updates.map((update) => heldContent(access, update, unseen.get(update.existing._id))))
}

async function heldContent(
  access: TypeAccess,
  { content, existing }: ProposedUpdate,
  unseen: ValueObject | undefined,
): Promise<JsonObject> {
  const result = { ...content }
  for (const property of access.type.properties.values()) {
    const { name } = property
    const wanted = member(content, name)
    const before = member(existing, name)
    if (wanted === undefined || equal(wanted, before)) continue
    const held = isShown(property)
      ? await heldValue(access, property, wanted, before)
      : await unseenValue(access, property, wanted, unseen)
    if (held === undefined || (held === null && before === undefined)) delete result[name]
    else setMember(result, name, held)
  }
  return result
}

function isShown({ readable, returnedByDefault, updateable }: Property): boolean {
  return !updateable || (readable && returnedByDefault)
}

/** Undefined: there is no value, neither before nor after. */
async function heldValue(
  access: TypeAccess,
  property: Property,
  wanted: Json,
  before: Json | undefined,
): Promise<Json | undefined> {
  // What is never sent stays as it is.
  if (!property.updateable || property.attribute === '_id') return before
  // Creates leave these out, and so nothing is there.
  if (isEmpty(wanted) && isNothing(before)) return before
  const nothing = property.multivalued && access.type.givesEmptyLists ? [] : null
  if (wanted === null) return nothing
  const there = before === undefined ? undefined : nativeOf(property, before)
  const native = await nativeAfterWrite(access, property, wanted, there)
  if (native === undefined) return wanted
  const held = valuesOf(native).length === 0 ? nothing : fromNative(native, property)
  if (held === undefined) return wanted
  if (equal(held, before)) return before
  if (Array.isArray(held) && Array.isArray(before) && !isOrdered(access, property))
    if (equalInAnyOrder(held, before)) return before
  // The plaintext is known for the comparison only.
  return holdsSealed(wanted) ? wanted : held
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

/** Undefined where nothing is to be sent: the value is there, or it is none. */
async function unseenValue(
  access: TypeAccess,
  property: Property,
  wanted: Json,
  unseen: ValueObject | undefined,
): Promise<Json | undefined> {
  if (wanted === null && property.isSecret) return undefined
  if (!unseen) return wanted
  const present = attribute(unseen, property.attribute)
  if (present === undefined) return isEmpty(wanted) ? undefined : wanted
  if (wanted === null) return null
  const native = await nativeAfterWrite(access, property, wanted, present)
  return native !== undefined && sameValue(native, present) ? undefined : wanted
}

/** Undefined for what the system would refuse: the write says so. */
async function nativeAfterWrite(
  { connector, facts, type }: TypeAccess,
  property: Property,
  wanted: Json,
  present: Value | undefined,
): Promise<Value | undefined> {
  try {
    const plain = holdsSealed(wanted) ? await facts.decrypt(wanted) : wanted
    const native = toNative(plain, property)
    if (!offers(connector, 'held')) return native
    return connector.held(type.objectClass, property.attribute, native, present)
  } catch {
    return undefined
  }
}

/** Undefined for what does not fit the type, although it is there. */
function nativeOf(property: Property, value: Json): Value | undefined {
  try {
    return toNative(value, property)
  } catch {
    return undefined
  }
}

/** By id, what no reading shows and some update sets; one call. Nothing where it cannot be read. */
async function unseenValues(
  access: TypeAccess,
  updates: readonly ProposedUpdate[],
): Promise<ReadonlyMap<string, Attributes>> {
  const { connector, type } = access
  const unseen = [...type.properties.values()].filter((property) => !isShown(property))
  const sets = ({ content }: ProposedUpdate) =>
    unseen.some(({ name }) => (member(content, name) ?? null) !== null)
  const ids = updates.filter(sets).map(({ existing }) => existing._id)
  if (ids.length === 0 || !offers(connector, 'readMany')) return new Map()
  try {
    const fields = unseen.map((property) => property.attribute)
    const read = (signal?: AbortSignal) => connector.readMany(type.objectClass, ids, fields, signal)
    const found = await access.call('GET', undefined, read, { count: ids.length })
    return new Map([...found].flatMap(([id, entry]) => (isUnreadable(entry) ? [] : [[id, entry]])))
  } catch {
    return new Map()
  }
}

function isOrdered({ connector, type }: TypeAccess, { attribute: name }: Property): boolean {
  return offers(connector, 'ordered') && connector.ordered(type.objectClass, name)
}
