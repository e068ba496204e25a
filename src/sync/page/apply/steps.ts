import type { Action } from '../../../mapping/situation.ts'

/**
 * The order of a page's steps; each action's steps below are a subsequence of it (engine §4.3). A page takes a step as a
 * whole: its operations do not depend on each other (conflicts.ts), so all target writes are one call and all links one
 * statement.
 */
export const order = [
  'onDelete',
  'onLink',
  'linkBefore',
  'writeTarget',
  'onLinkAfter',
  'onUnlink',
  'linkAfter',
  'postMapping',
  'consequences',
  'postAction',
] as const

export type Step = (typeof order)[number]

export const steps = {
  /** The link follows the target, whose id only the target system knows. */
  CREATE: ['writeTarget', 'onLinkAfter', 'linkAfter', 'postMapping', 'consequences', 'postAction'],
  /** The link precedes the write, contrary to what OpenIDM's documentation says and as its code does. */
  UPDATE: ['onLink', 'linkBefore', 'writeTarget', 'linkAfter', 'postMapping', 'consequences', 'postAction'],
  LINK: ['onLink', 'linkBefore', 'postMapping', 'postAction'],
  DELETE: ['onDelete', 'writeTarget', 'onUnlink', 'linkAfter', 'consequences', 'postAction'],
  UNLINK: ['onUnlink', 'linkAfter', 'postAction'],
  REPORT: ['postAction'],
  NOREPORT: ['postAction'],
  ASYNC: [],
  IGNORE: [],
  EXCEPTION: [],
} as const satisfies Record<Action, readonly Step[]>

export function takes(action: Action | undefined, step: Step): boolean {
  const taken: readonly Step[] = action === undefined ? [] : steps[action]
  return taken.includes(step)
}
