import { hash } from 'node:crypto'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Issue } from '../../repository/issues.ts'
import type { Store } from '../../repository/repository.ts'
import { causeOf } from '../page/cause.ts'
import { type Applied, ambiguousIds } from '../page/operation.ts'

/** Cases that are left to people, by what they are about. */
export const kinds = [
  'AMBIGUOUS',
  'ALREADY_LINKED',
  'UNASSIGNED',
  /** Another situation whose action is EXCEPTION. */
  'UNDECIDED',
  'FAILURE',
  'DEAD_LETTER',
  /** Changes that the guard holds back. */
  'HELD_BACK',
  /** The guard stopped a run or a liveSync. */
  'GUARD',
] as const
export type Kind = (typeof kinds)[number]

/** What an issue says. */
export interface IssueFacts {
  readonly mapping: string
  /** `source`, `target`: of an operation; `run`, `queue`, `liveSync`: of what is about no object. */
  readonly phase: 'source' | 'target' | 'run' | 'queue' | 'liveSync'
  readonly kind: Kind
  readonly message: string
  readonly hint: string
  /** Tells this case from others of the same place; all that changes it belongs here. */
  readonly sign: string
  readonly runId?: string
  readonly details?: JsonObject
}

export function issue(id: string, facts: IssueFacts): Issue {
  const { mapping, phase, kind, message, hint, sign, runId = '', details } = facts
  const now = new Date().toISOString()
  const content: JsonObject = {
    ...{ _id: id, mapping, kind, state: 'OPEN', phase, message, hint },
    ...details,
    ...(runId !== '' && { runId }),
    ...{ firstSeen: now, lastSeen: now },
  }
  return { id, mapping, runId, sign: digest([kind, sign]), content }
}

/** Of one place: an object under one mapping and qualifier, or a mapping as a whole. */
export function issueId(...place: readonly string[]): string {
  return digest(place)
}

function digest(parts: readonly string[]): string {
  return hash('sha1', JSON.stringify(parts), 'hex').slice(0, 20)
}

function idOf({ name }: Mapping, { phase, linkQualifier, sourceId, targetId }: Applied): string {
  return issueId(name, phase, linkQualifier, (phase === 'source' ? sourceId : targetId) ?? '')
}

/** The case that an operation leaves to people; undefined if it leaves none. */
function issueOf(mapping: Mapping, operation: Applied, runId: string): Issue | undefined {
  const {
    phase,
    linkQualifier,
    sourceId = null,
    targetId = null,
    situation = null,
    action = null,
  } = operation
  const cause = causeOf(operation)
  const isLeft = action === 'EXCEPTION' && operation.refusal !== undefined && !operation.stale
  if (!cause && !isLeft) return undefined
  const kind = cause ? 'FAILURE' : (kindOf[situation ?? ''] ?? 'UNDECIDED')
  const candidates = ambiguousIds(operation)
  const linkedTo = operation.holder?.sourceId
  const message = cause?.message ?? operation.refusal ?? ''
  return issue(idOf(mapping, operation), {
    ...{ mapping: mapping.name, phase, kind, message, runId },
    hint: cause?.hint ?? hints[kind],
    sign: JSON.stringify([situation, cause?.id ?? null, targetId, candidates.toSorted(), linkedTo ?? null]),
    details: {
      ...{
        linkQualifier,
        sourceId,
        targetId,
        source: mapping.source,
        target: mapping.target,
        situation,
        action,
      },
      ...(candidates.length > 0 && { candidates: [...candidates] }),
      ...(linkedTo !== undefined && { linkedTo }),
      ...(cause && { code: cause.code, cause: cause.id }),
    },
  })
}

const kindOf: Readonly<Record<string, Kind>> = {
  AMBIGUOUS: 'AMBIGUOUS',
  FOUND_ALREADY_LINKED: 'ALREADY_LINKED',
  UNASSIGNED: 'UNASSIGNED',
}

const hints: Readonly<Record<Kind, string>> = {
  AMBIGUOUS:
    'Say which one it is: `syncline issues ID --link TARGET`; or `--create` a new one, or `--ignore --reason "…"`.',
  ALREADY_LINKED:
    'Two source objects want one target: correct the correlation or the data, `syncline issues ID --link OTHER` or `--create`, or `--ignore --reason "…"`.',
  UNASSIGNED:
    'No source leads to it: `syncline issues ID --link SOURCE`, or `--ignore --reason "…"`; a policy for UNASSIGNED decides about all of them.',
  UNDECIDED:
    'A policy for the situation decides about all of them; or `syncline issues ID --ignore --reason "…"`.',
  FAILURE: 'Mend the cause, then `syncline issues ID --retry`.',
  DEAD_LETTER: 'Mend the cause, then `syncline issues ID --retry`; `--discard` drops the change.',
  HELD_BACK:
    'Look at `syncline queue --dead`; if it is right, `syncline queue --release MAPPING --reason "…"`.',
  GUARD: 'Look at `syncline plan MAPPING`; if it is right, run with `--override-guard --reason "…"`.',
}

/**
 * Reports what a page leaves to people, and clears what is over. Nothing is asked where there is nothing to clear. `byHand`: what a
 * person has tried in vain leaves the case as it was.
 */
export function issueRecorder(mapping: Mapping, runId: string, { byHand = false } = {}) {
  /** Known when the first page is recorded; other pages of the same work find only what it leaves itself. */
  let mayClear: boolean | undefined
  return async (page: readonly Applied[], store: Pick<Store, 'issues'>): Promise<void> => {
    const left = page.flatMap((operation) => issueOf(mapping, operation, runId) ?? [])
    if (left.length > 0 && !byHand) await store.issues.report(left)
    mayClear ??= await store.issues.any(mapping.name)
    if (!mayClear) return
    const ids = new Set(left.map(({ id }) => id))
    const over = page.map((operation) => idOf(mapping, operation)).filter((id) => !ids.has(id))
    if (over.length > 0) await store.issues.clear(over)
  }
}

/** The guard stopped a run. */
export function guardIssue(mapping: string, runId: string, message: string, hint: string): Issue {
  return issue(issueId(mapping, 'run'), {
    ...{ mapping, phase: 'run', kind: 'GUARD', message, hint, runId },
    sign: message,
  })
}

/** The guard stopped a liveSync, or its source was empty; it concerns all mappings of the source. */
export function liveSyncIssue(source: string, { code, message, hint }: Problem): Issue {
  const facts = { mapping: '', phase: 'liveSync', kind: 'GUARD', message, hint } as const
  return issue(liveSyncId(source), { ...facts, sign: message, details: { source, code } })
}

export function liveSyncId(source: string): string {
  return issueId('liveSync', source)
}

/** What waits in the queue of a mapping until it is released: one case, however much waits. */
export function heldBackIssue(mapping: string, message: string, count: number): Issue {
  return issue(heldBackId(mapping), {
    ...{
      mapping,
      phase: 'queue',
      kind: 'HELD_BACK',
      message,
      hint: hints.HELD_BACK.replace('MAPPING', mapping),
    },
    ...{ sign: String(count), details: { count } },
  })
}

export function heldBackId(mapping: string): string {
  return issueId(mapping, 'held back')
}

/** A change that was given up; `path` is where it is kept. */
export function deadLetterIssue(mapping: string, path: string, message: string, details: JsonObject): Issue {
  return issue(deadLetterId(path), {
    ...{ mapping, phase: path.startsWith('sync/queue') ? 'queue' : 'liveSync', kind: 'DEAD_LETTER', message },
    ...{ hint: hints.DEAD_LETTER, sign: message, details: { ...details, letter: path } },
  })
}

export function deadLetterId(path: string): string {
  return issueId('dead letter', path)
}
