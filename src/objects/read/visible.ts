import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { StoredObject } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { placesOf, remove, type Step, spotsAt, touches, withValueAt } from '../type/places.ts'
import type { PropertySchema } from '../type/type.ts'

/**
 * What a caller gets to see of an object (platform §6.1): private properties never leave the server, and
 * those that are not returned by default come only where they are named.
 */
export function visibility({ type, sealing }: CompiledType) {
  const onDemand = placesOf(type)
    .filter(({ property }) => !returnedByDefault(property))
    .map(({ path }) => path)
  return function visible(
    object: StoredObject,
    { external, whole, fields = [] }: RequestContext & { readonly fields?: readonly Pointer[] | undefined },
  ): StoredObject {
    const hidden = [
      ...(external ? sealing.private : []),
      ...onDemand.filter((path) => !whole && !fields.some((field) => isNamed(path, field))),
    ]
    let seen: JsonObject = object
    for (const path of hidden) seen = without(seen, path)
    return seen as StoredObject
  }
}

/** Naming an object does not name what is in it on demand. */
function isNamed(path: readonly Step[], field: Pointer): boolean {
  return field.length >= path.filter((step) => typeof step === 'string').length && touches(path, field)
}

function without(object: JsonObject, path: readonly Step[]): JsonObject {
  let result = object
  for (const { pointer, value } of spotsAt(object, path))
    if (value !== undefined) result = withValueAt(result, pointer, remove) as JsonObject
  return result
}

function returnedByDefault({ returnByDefault, isVirtual }: PropertySchema): boolean {
  return typeof returnByDefault === 'boolean' ? returnByDefault : isVirtual !== true
}
