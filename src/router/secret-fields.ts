import type { Pointer } from '../model/pointer.ts'
import type { Resources } from './resources.ts'

/** True if an attribute of an object set is secret. If the set no longer exists, all its attributes are. */
export function isSecretAt(resources: Resources, set: string, pointer: Pointer): boolean {
  try {
    return resources.objectSet(set).isSecret?.(pointer) ?? false
  } catch {
    return true
  }
}
