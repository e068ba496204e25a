import type { Pointer } from '../model/pointer.ts'
import type { StoredObject } from '../repository/repository.ts'
import type { RequestContext } from '../router/resources.ts'
import type { CompiledType } from './managed-set.ts'
import { type PropertySchema, propertiesOf } from './type.ts'

/**
 * What a caller gets to see of an object (platform specification §6.1): private properties never leave the server, and
 * those that are not returned by default come only where they are named.
 */
export function visibility({ type, sealing }: CompiledType) {
  const onDemand = propertiesOf(type.schema)
    .filter(([, property]) => !returnedByDefault(property))
    .map(([name]) => name)
  return function visible(
    object: StoredObject,
    { external, fields }: RequestContext & { readonly fields?: readonly Pointer[] | undefined },
  ): StoredObject {
    const named = new Set(fields?.map(([name]) => name))
    const hidden = [
      ...(external ? sealing.private : []),
      ...onDemand.filter((name) => !named.has(name)),
    ].filter((name) => object[name] !== undefined)
    if (hidden.length === 0) return object
    const seen = { ...object }
    for (const name of hidden) delete seen[name]
    return seen
  }
}

function returnedByDefault({ returnByDefault, isVirtual }: PropertySchema): boolean {
  return typeof returnByDefault === 'boolean' ? returnByDefault : isVirtual !== true
}
