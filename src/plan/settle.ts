/**
 * What became of an operation whose run broke off between its write and the record of it (engine §12.5):
 * decided from what is there now, so that nothing is ever done a second time.
 */
export interface BrokenOff {
  readonly action: 'CREATE' | 'UPDATE' | 'DELETE'
  /** The target before; null where a new one was to be made. */
  readonly targetId: string | null
  /** Under which id the object was to stand afterwards; null if it was to go, or if only its system knows. */
  readonly newId: string | null
}

/** What is there now. */
export interface Remains {
  readonly oldExists: boolean
  readonly newExists: boolean
  /** Where the link of the source leads; null if it has none. */
  readonly linkedTo: string | null
  /** Of an update that keeps the id: the target is as the update was to make it. */
  readonly looksWritten: boolean
  /** True if somebody else's link leads to the new object. */
  readonly newIsTaken: boolean
}

/**
 * - `undone`: it did not happen, or what it came to is somebody else's by now; the run decides anew.
 * - `link`, `retarget`, `unlink`: it happened, and its link is still to be made, to be led to the new id, to go.
 * - `done`: it happened, and only the record is missing.
 */
export type Settlement = 'undone' | 'link' | 'retarget' | 'unlink' | 'done'

export function settle({ action, targetId, newId }: BrokenOff, remains: Remains): Settlement {
  const { oldExists, newExists, linkedTo, newIsTaken, looksWritten } = remains
  if (action === 'DELETE') return oldExists ? 'undone' : linkedTo === targetId ? 'unlink' : 'done'
  if (action === 'UPDATE' && newId === targetId) return newExists && looksWritten ? 'done' : 'undone'
  if (!newExists || newIsTaken) return 'undone'
  if (linkedTo === newId) return 'done'
  if (action === 'CREATE' && linkedTo === null) return 'link'
  // A link that led to nothing (MISSING), or to the object before it was renamed.
  return oldExists || linkedTo !== targetId ? 'undone' : 'retarget'
}
