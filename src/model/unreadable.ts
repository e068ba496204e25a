import type { Problem } from './problem.ts'

/**
 * An object that exists and cannot be read. It has the place of its object in a page: its error is not that of the whole
 * set, and it is not absent.
 */
export class Unreadable {
  readonly _id: string
  readonly problem: Problem

  constructor(id: string, problem: Problem) {
    this._id = id
    this.problem = problem
  }
}

/** The objects among them. */
export function readableOf<T extends object>(entries: readonly (T | Unreadable)[]): readonly T[] {
  return entries.filter((entry): entry is T => !(entry instanceof Unreadable))
}

export function isUnreadable(entry: unknown): entry is Unreadable {
  return entry instanceof Unreadable
}

/** The object; throws what keeps it from being read. */
export function requireReadable<T>(entry: T | Unreadable): T {
  if (entry instanceof Unreadable) throw entry.problem
  return entry
}

/** The object, or what keeps it from being read; neither of what is absent. */
export function parted<T extends object>(
  entry: T | Unreadable | undefined,
): {
  readonly object: T | undefined
  readonly problem: Problem | undefined
} {
  return entry instanceof Unreadable
    ? { object: undefined, problem: entry.problem }
    : { object: entry, problem: undefined }
}
