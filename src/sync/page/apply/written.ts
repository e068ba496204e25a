import { hash } from 'node:crypto'
import type { Change } from '../../../model/diff.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import { getAt, type Pointer } from '../../../model/pointer.ts'
import { recordedChanges } from '../../../model/recorded-changes.ts'
import { isMasked } from '../../../model/secrecy.ts'

/**
 * By what an update is recognized that broke off: a digest of the attributes it was to set, never the values, and the
 * changes as the audit would have kept them. Plain data, as intents keep it.
 */
export interface Written {
  readonly pointers: readonly Pointer[]
  readonly digest: string
  readonly changes: JsonObject
}

/** Null where nothing of what changes can be read again: secrets are not. */
export function writtenBy(
  changes: readonly Change[],
  isSecret: ((pointer: Pointer) => boolean) | undefined,
): Written | null {
  const readable = changes.filter((change) => !isMasked(change, isSecret))
  if (readable.length === 0) return null
  const pointers = readable.map(({ pointer }) => pointer)
  const digest = digestOf(readable.map(({ after }) => after))
  return { pointers, digest, changes: recordedChanges(changes, isSecret) }
}

/** True if the object has the values now that the update was to set. */
export function looksWritten({ pointers, digest }: Written, object: JsonObject): boolean {
  return digestOf(pointers.map((pointer) => getAt(object, pointer))) === digest
}

/** Null and absent are alike to a target. */
function digestOf(values: readonly (Json | undefined)[]): string {
  return hash('sha256', JSON.stringify(values.map((value) => value ?? null)), 'base64url')
}
