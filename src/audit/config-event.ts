import { diff } from '../model/diff.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { getAt, printPointer } from '../model/pointer.ts'
import { recordedChanges } from '../model/recorded-changes.ts'
import { maskSettings } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/audit.ts'
import { auditEvent, type ChangeFacts } from './events.ts'

/** A change of one configuration object, such as `config/sync`. */
export interface ConfigChange extends Omit<ChangeFacts, 'changedFields' | 'changes'> {
  /** Further names of settings that are secret, such as those that a connector declares. */
  readonly isSecret?: (name: string) => boolean
}

/**
 * `audit/config` (platform §9): the old and the new configuration object, and their differences. Secrets are
 * masked: encrypted and hashed values, and texts whose names mean a secret.
 */
export function configEvent({ isSecret = () => false, ...facts }: ConfigChange): AuditEvent {
  const { before = null, after = null } = facts
  const changes = diff(whole(before ?? {}) as JsonObject, whole(after ?? {}) as JsonObject)
  const shown = (value: JsonObject | null) => value && (maskSettings(value, isSecret) as JsonObject)
  // Masked after the comparison: an old and a new secret have the same mask, but are a change.
  const recorded = changes.map(({ pointer }) => {
    const at = (value: JsonObject | null) => {
      const found = getAt(value ?? {}, pointer)
      return found === undefined ? undefined : maskSettings(found, isSecret, pointer.at(-1))
    }
    return { pointer, before: at(before), after: at(after) }
  })
  return auditEvent.config({
    ...{ ...facts, before: shown(before), after: shown(after) },
    changedFields: changes.map(({ pointer }) => printPointer(pointer)),
    changes: recordedChanges(recorded, undefined),
  })
}

/** Encrypted values and lists change as a whole. */
function whole(value: Json): Json {
  if (!isJsonObject(value)) return value
  if (Object.hasOwn(value, '$crypto')) return [value]
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, member === undefined ? undefined : whole(member)]),
  )
}
