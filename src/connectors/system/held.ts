import { equal, equalInAnyOrder } from '../../model/equality.ts'
import { type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import { holdsSealed } from '../../model/secrecy.ts'
import { offers } from '../kit/connector.ts'
import { type Value, valuesOf } from '../kit/values.ts'
import { fromNative, isEmpty, toNative } from './convert.ts'
import type { Property } from './object-type.ts'
import type { TypeAccess } from './type-access.ts'

/**
 * The content of an update as the system would give it back: each value through the types of the configuration to the
 * connector, as the connector says that it holds it, and back. What equals a value that is there has its form.
 */
export async function heldContent(
  access: TypeAccess,
  content: JsonObject,
  existing: JsonObject,
): Promise<JsonObject> {
  const result = { ...content }
  for (const property of access.type.properties.values()) {
    const { name } = property
    const wanted = member(content, name)
    const before = member(existing, name)
    if (wanted === undefined || equal(wanted, before)) continue
    const held = await heldValue(access, property, wanted, before)
    if (held === undefined || (held === null && before === undefined)) delete result[name]
    else setMember(result, name, held)
  }
  return result
}

/** Undefined: there is no value, neither before nor after. */
async function heldValue(
  access: TypeAccess,
  property: Property,
  wanted: Json,
  before: Json | undefined,
): Promise<Json | undefined> {
  const { updateable, readable, isSecret, attribute } = property
  // What is never sent stays as it is.
  if (!updateable || attribute === '_id' || (wanted === null && isSecret)) return before
  if (!readable) return wanted
  // Creates leave these out, and so nothing is there.
  if (isEmpty(wanted) && before === undefined) return undefined
  if (wanted === null) return null
  const held = await afterWrite(access, property, wanted)
  if (held === undefined) return wanted
  if (equal(held, before)) return before
  if (Array.isArray(held) && Array.isArray(before) && !isOrdered(access, attribute))
    if (equalInAnyOrder(held, before)) return before
  // The plaintext is known for the comparison only.
  return holdsSealed(wanted) ? wanted : held
}

/** Undefined for what the system would refuse: the write says so. */
async function afterWrite(
  { connector, facts, type }: TypeAccess,
  property: Property,
  wanted: Json,
): Promise<Json | undefined> {
  try {
    const plain = holdsSealed(wanted) ? await facts.decrypt(wanted) : wanted
    const native = toNative(plain, property)
    const held: Value = offers(connector, 'held')
      ? connector.held(type.objectClass, property.attribute, native)
      : native
    return valuesOf(held).length === 0 ? null : fromNative(held, property)
  } catch {
    return undefined
  }
}

function isOrdered({ connector, type }: TypeAccess, attribute: string): boolean {
  return offers(connector, 'ordered') && connector.ordered(type.objectClass, attribute)
}
