import type { Action } from '../mapping/situation.ts'
import { type Change, patch } from '../model/diff.ts'
import { equalIgnoringNull } from '../model/equality.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { printPointer } from '../model/pointer.ts'
import { mask } from '../model/secrecy.ts'

/** What was done to an object, and as it is now. */
export interface Done {
  readonly action: string
  readonly changes: readonly Change[]
  /** True if the operation made the link. */
  readonly madeLink: boolean
}

export interface Now {
  /** Null: there is none. */
  readonly target: JsonObject | null
  /** True if the link joins the same two objects. */
  readonly linked: boolean
  readonly linkedElsewhere: boolean
  readonly sourceExists: boolean
}

/** A step back. */
export interface Inverse {
  readonly action: Extract<Action, 'CREATE' | 'UPDATE' | 'DELETE' | 'LINK' | 'UNLINK'>
  /** The target as it was; undefined where no attribute is written. */
  readonly desired?: JsonObject
  /** What the target should be now, if nobody else has changed it. */
  readonly expected?: JsonObject
  readonly refusal?: string
  /** Why there is nothing left to undo. */
  readonly done?: string
  /** What stays as it is, because it is not on record. */
  readonly unforeseen?: string
}

/** How an operation is undone (pure): nothing where there is nothing to undo, and why where it cannot be. */
export function inverseOf({ action, changes, madeLink }: Done, now: Now): readonly Inverse[] {
  switch (action) {
    case 'CREATE':
      return [undoneCreate(changes, now)]
    case 'DELETE':
      return [undoneDelete(changes, now)]
    case 'UPDATE':
      return [
        ...(changes.length > 0 ? [undoneUpdate(changes, now, madeLink)] : []),
        ...(madeLink ? [undoneLink(now)] : []),
      ]
    case 'LINK':
      return madeLink ? [undoneLink(now)] : []
    case 'UNLINK':
      return [undoneUnlink(now)]
    default:
      return []
  }
}

function undoneCreate(changes: readonly Change[], { target, linked, linkedElsewhere }: Now): Inverse {
  if (!target) return { action: 'DELETE', done: 'it is gone already' }
  if (linkedElsewhere) return { action: 'DELETE', refusal: 'its link leads elsewhere now' }
  if (!linked) return { action: 'DELETE', refusal: 'its link is gone' }
  return { action: 'DELETE', expected: patch(known(changes, 'after'), target) }
}

function undoneUpdate(
  changes: readonly Change[],
  { target, linked, linkedElsewhere }: Now,
  madeLink: boolean,
): Inverse {
  if (!target) return { action: 'UPDATE', refusal: 'the target is gone' }
  const restored = known(changes, 'before').filter((change) => isKnown(change.after))
  const left = changes.filter((change) => !restored.includes(change))
  if (restored.length === 0) return { action: 'UPDATE', refusal: notOnRecord(left) }
  const desired = patch(
    restored.map((change) => ({ ...change, after: change.before })),
    target,
  )
  if (equalIgnoringNull(desired, target)) return { action: 'UPDATE', done: 'it is as it was already' }
  if (linkedElsewhere || (madeLink && !linked)) return { action: 'UPDATE', refusal: 'its link has changed' }
  return {
    ...{ action: 'UPDATE', expected: patch(restored, target), desired },
    ...(left.length > 0 && { unforeseen: notOnRecord(left) }),
  }
}

function undoneDelete(changes: readonly Change[], { target, linkedElsewhere }: Now): Inverse {
  const lost = known(changes, 'before')
  const left = changes.filter((change) => !lost.includes(change))
  const desired = patch(
    lost.map((change) => ({ ...change, after: change.before })),
    {},
  )
  if (target) {
    const isSame = equalIgnoringNull({ ...target, ...desired }, target)
    return { action: 'CREATE', [isSame ? 'done' : 'refusal']: 'it is there again' }
  }
  if (linkedElsewhere) return { action: 'CREATE', refusal: 'its source has another target now' }
  if (lost.length === 0)
    return { action: 'CREATE', refusal: left.length > 0 ? notOnRecord(left) : 'what it was is not on record' }
  return { action: 'CREATE', desired, ...(left.length > 0 && { unforeseen: notOnRecord(left) }) }
}

function undoneLink({ linked }: Now): Inverse {
  return linked ? { action: 'UNLINK' } : { action: 'UNLINK', done: 'the link is gone already' }
}

function undoneUnlink({ target, linked, linkedElsewhere, sourceExists }: Now): Inverse {
  if (linked) return { action: 'LINK', done: 'they are linked again' }
  const refusal = linkedElsewhere
    ? 'one of them is linked elsewhere now'
    : !target
      ? 'the target is gone'
      : sourceExists
        ? undefined
        : 'the source is gone'
  return { action: 'LINK', ...(refusal !== undefined && { refusal }) }
}

/** Changes of which this side is on record. */
function known(changes: readonly Change[], side: 'before' | 'after'): readonly Change[] {
  return changes.filter((change) => isKnown(change[side]))
}

/** Secrets are masked, and long values are told by their length only. */
function isKnown(value: Json | undefined): boolean {
  return value !== mask && !(typeof value === 'string' && /^\(\d+ characters\)$/.test(value))
}

function notOnRecord(changes: readonly Change[]): string {
  const names = changes.map(({ pointer }) => printPointer(pointer).slice(1))
  return `not on record, and left as it is: ${names.join(', ')}`
}
