import { asObject, isJsonObject, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectType } from './object-type.ts'
import { isWrite, type OperationName } from './operation.ts'

/**
 * May this operation be done on this type (platform §4.3)? The most specific setting counts. A denied one is FORBIDDEN, or
 * `skipped` where `onDeny` says DO_NOTHING; reading is never skipped, because an empty result would be wrong. With
 * `supportedObjectTypes` the types it does not name are not offered at all.
 */
export function permission(
  { operationOptions }: JsonObject,
  name: OperationName,
  type: ObjectType,
): 'allowed' | 'skipped' {
  const general = asObject(asObject(operationOptions)[name])
  const features = asObject(general.objectFeatures)
  const specific = [features[type.name], features[type.objectClass]].find(isJsonObject) ?? {}
  const supported = specific.supportedObjectTypes ?? general.supportedObjectTypes
  const isNamed = (names: readonly unknown[]) => names.includes(type.name) || names.includes(type.objectClass)
  if (Array.isArray(supported) && supported.length > 0 && !isNamed(supported)) {
    throw new Problem('NOT_IMPLEMENTED', `${name} is not among the operations supported for ${type.name}`)
  }
  if ((specific.denied ?? general.denied) !== true) return 'allowed'
  const skips = (specific.onDeny ?? general.onDeny) === 'DO_NOTHING'
  if (skips && isWrite(name)) return 'skipped'
  throw new Problem('FORBIDDEN', `Operation ${name} on ${type.name} is denied by operationOptions`)
}
