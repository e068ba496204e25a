import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { OperationName } from './failure.ts'
import type { ObjectType } from './object-type.ts'

/** Permissions (platform §4.3) and timeouts (platform §4.1) of operations. */

export function isWrite(name: OperationName): boolean {
  return name === 'CREATE' || name === 'UPDATE' || name === 'DELETE'
}

/** Milliseconds per operation; -1 and absent: no limit. */
export function timeoutOf(configuration: JsonObject, name: OperationName): number | undefined {
  const timeouts = isJsonObject(configuration.operationTimeout) ? configuration.operationTimeout : {}
  const value = timeouts[name]
  return typeof value === 'number' && value > 0 ? value : undefined
}

export type Permission = 'allowed' | 'skipped'

/**
 * May this operation be done on this type? The most specific setting counts. A denied one is FORBIDDEN, or `skipped`
 * where `onDeny` says DO_NOTHING; reading is never skipped, because an empty result would be wrong. With
 * `supportedObjectTypes` the types it does not name are not offered at all.
 */
export function permission(configuration: JsonObject, name: OperationName, type: ObjectType): Permission {
  const options = isJsonObject(configuration.operationOptions) ? configuration.operationOptions : {}
  const general = isJsonObject(options[name]) ? options[name] : {}
  const features = isJsonObject(general.objectFeatures) ? general.objectFeatures : {}
  const specific = [features[type.name], features[type.objectClass]].find(isJsonObject) ?? {}
  const supported = specific.supportedObjectTypes ?? general.supportedObjectTypes
  if (Array.isArray(supported) && supported.length > 0 && !isNamed(type, supported)) {
    throw new Problem('NOT_IMPLEMENTED', `${name} is not among the operations supported for ${type.name}`)
  }
  if ((specific.denied ?? general.denied) !== true) return 'allowed'
  const skips = (specific.onDeny ?? general.onDeny) === 'DO_NOTHING'
  if (skips && isWrite(name)) return 'skipped'
  throw new Problem('FORBIDDEN', `Operation ${name} on ${type.name} is denied by operationOptions`)
}

function isNamed(type: ObjectType, names: readonly Json[]): boolean {
  return names.includes(type.name) || names.includes(type.objectClass)
}
