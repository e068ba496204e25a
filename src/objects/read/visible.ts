import type { Pointer } from '../../model/pointer.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Encryption } from '../type/encryption.ts'
import { type Place, type Step, touches, withoutAt } from '../type/places.ts'
import type { PropertySchema } from '../type/type.ts'

/**
 * What a caller gets to see of an object (platform §6.1): private properties never leave the server, and
 * those that are not returned by default come only where they are named.
 */
export type Visible = (
  object: StoredObject,
  asked: Pick<RequestContext, 'external' | 'whole'> & { readonly fields?: readonly Pointer[] | undefined },
) => StoredObject

export function visibility(places: readonly Place[], encryption: Encryption): Visible {
  const onDemand = places.filter(({ property }) => !returnedByDefault(property)).map(({ path }) => path)
  return (object, { external, whole, fields = [] }) => {
    const hidden = [
      ...(external ? encryption.private : []),
      ...onDemand.filter((path) => !whole && !fields.some((field) => isNamed(path, field))),
    ]
    return hidden.reduce(withoutAt, object)
  }
}

/** Naming an object does not name what is in it on demand. */
function isNamed(path: readonly Step[], field: Pointer): boolean {
  return field.length >= path.filter((step) => typeof step === 'string').length && touches(path, field)
}

function returnedByDefault({ returnByDefault, isVirtual }: PropertySchema): boolean {
  return typeof returnByDefault === 'boolean' ? returnByDefault : isVirtual !== true
}
