/**
 * What happened to an operation whose run was interrupted between its write and its record (engine §12.5). Decided from
 * the current state, so that nothing is done a second time.
 */
export interface BrokenOff {
  readonly action: 'CREATE' | 'UPDATE' | 'DELETE'
  /** The target before; null if a new one was to be created. */
  readonly targetId: string | null
  /** The id of the object after the operation; null if it was to be deleted, or if only its system knows the id. */
  readonly newId: string | null
}

/** The current state. */
export interface Remains {
  readonly oldExists: boolean
  readonly newExists: boolean
  /** The target of the source's link; null if it has none. */
  readonly linkedTo: string | null
  /** For an update that keeps the id: the target already has the values of the update. */
  readonly looksWritten: boolean
  /** True if the link of another source leads to the new object. */
  readonly newIsTaken: boolean
  /** Of ids that are handed on within a page: whether this one was (resolve-moves.ts); undefined if that is to be seen from the rest. */
  readonly moved: boolean | undefined
}

/**
 * - `undone`: it did not happen, or its result now belongs to another source; the run decides again.
 * - `link`, `retarget`, `unlink`: it happened, and its link must still be created, changed to the new id, or deleted.
 * - `done`: it happened, and only the record is missing.
 */
export type Resolution = 'undone' | 'link' | 'retarget' | 'unlink' | 'done'

export function resolveIntent({ action, targetId, newId }: BrokenOff, remains: Remains): Resolution {
  const { oldExists, newExists, linkedTo, newIsTaken, looksWritten, moved } = remains
  if (action === 'DELETE') return oldExists ? 'undone' : linkedTo === targetId ? 'unlink' : 'done'
  if (action === 'UPDATE' && newId === targetId) return newExists && looksWritten ? 'done' : 'undone'
  if (!newExists || newIsTaken || (moved === false && linkedTo !== newId)) return 'undone'
  if (linkedTo === newId) return 'done'
  if (action === 'CREATE' && linkedTo === null) return 'link'
  // A link that led to nothing (MISSING), or to the object before it was renamed.
  const isBack = oldExists && !(action === 'UPDATE' && moved)
  return isBack || linkedTo !== targetId ? 'undone' : 'retarget'
}
