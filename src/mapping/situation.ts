/**
 * The vocabulary of decisions: situations, actions, and what happens by default (engine §3.5, [C]
 * column).
 */
export const sourceSituations = [
  'CONFIRMED',
  'FOUND',
  'FOUND_ALREADY_LINKED',
  'ABSENT',
  'AMBIGUOUS',
  'MISSING',
  'UNQUALIFIED',
  'SOURCE_IGNORED',
] as const
export const deletedSituations = [
  'SOURCE_MISSING',
  'TARGET_IGNORED',
  'LINK_ONLY',
  'ALL_GONE',
  'UNASSIGNED',
  'AMBIGUOUS',
  'UNQUALIFIED',
] as const
export const targetSituations = [
  'TARGET_IGNORED',
  'UNASSIGNED',
  'SOURCE_MISSING',
  'UNQUALIFIED',
  'CONFIRMED',
] as const

export type SourceSituation = (typeof sourceSituations)[number]
export type DeletedSituation = (typeof deletedSituations)[number]
export type TargetSituation = (typeof targetSituations)[number]
export type Situation = SourceSituation | DeletedSituation | TargetSituation

export const actions = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'LINK',
  'UNLINK',
  'EXCEPTION',
  'IGNORE',
  'REPORT',
  'NOREPORT',
  'ASYNC',
] as const
export type Action = (typeof actions)[number]

export const defaultAction = {
  CONFIRMED: 'UPDATE',
  FOUND: 'UPDATE',
  FOUND_ALREADY_LINKED: 'EXCEPTION',
  ABSENT: 'CREATE',
  AMBIGUOUS: 'EXCEPTION',
  MISSING: 'EXCEPTION',
  UNQUALIFIED: 'DELETE',
  SOURCE_IGNORED: 'REPORT',
  TARGET_IGNORED: 'REPORT',
  UNASSIGNED: 'EXCEPTION',
  SOURCE_MISSING: 'EXCEPTION',
  LINK_ONLY: 'EXCEPTION',
  ALL_GONE: 'NOREPORT',
} as const satisfies Record<Situation, Action>

export const situations: readonly Situation[] = Object.keys(defaultAction).filter(isSituation)

export function isAction(name: unknown): name is Action {
  return actions.some((action) => action === name)
}

export function isSituation(name: unknown): name is Situation {
  return typeof name === 'string' && Object.hasOwn(defaultAction, name)
}
