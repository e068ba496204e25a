import type { Pointer } from '../model/pointer.ts'
import type { Resources } from './resources.ts'

/** Whether an attribute of an object set is secret; of a set that is there no longer, everything is. */
export function isSecretAt(resources: Resources, set: string, pointer: Pointer): boolean {
  try {
    return resources.objectSet(set).isSecret?.(pointer) ?? false
  } catch {
    return true
  }
}
