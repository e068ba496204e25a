import { hash } from 'node:crypto'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Issue } from '../../repository/issues.ts'
import type { Store } from '../../repository/repository.ts'
import { causeOf } from '../page/cause.ts'
import { type Naming, namesOf } from '../page/names.ts'
import { type Applied, ambiguousIds } from '../page/operation.ts'
import { LostProperties } from '../reconciliation/source-properties.ts'

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
    ...{ _id: id, mapping, kind, state: 'OPEN', phase, message, hint: literal(hint, id) },
    ...details,
    ...(runId !== '' && { runId }),
    ...{ firstSeen: now, lastSeen: now },
  }
  return { id, mapping, runId, sign: digest([kind, sign]), content }
}

/** Commands in a hint work as they stand. */
function literal(hint: string, id: string): string {
  return hint.replaceAll('syncline issues ID', `syncline issues ${id}`)
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
function issueOf(naming: Naming, operation: Applied, runId: string): Issue | undefined {
  const { mapping } = naming.rules
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
    hint: cause?.hint ?? (operation.holder?.isGone ? carryOver(mapping, operation) : hints[kind]),
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
      ...namesOf(naming, operation),
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

/** An id has changed at the source, or somebody else has come. */
function carryOver({ name }: Mapping, { sourceId, targetId, holder }: Applied): string {
  const link = `\`syncline issues ID --link ${targetId}\``
  return `${holder?.sourceId}, which it is linked to, is gone. If ${sourceId} is the same one under another id, carry the link over: ${link}, then \`syncline recon ${name}\`; the action UPDATE for FOUND_ALREADY_LINKED does so for all of them. If not: \`syncline issues ID --create\`.`
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
export function issueRecorder(naming: Naming, runId: string, { byHand = false } = {}) {
  const { mapping } = naming.rules
  /** Known when the first page is recorded; other pages of the same work find only what it leaves itself. */
  let mayClear: boolean | undefined
  return async (page: readonly Applied[], store: Pick<Store, 'issues'>): Promise<void> => {
    const left = page.flatMap((operation) => issueOf(naming, operation, runId) ?? [])
    if (left.length > 0 && !byHand) await store.issues.report(left)
    mayClear ??= await store.issues.any(mapping.name)
    if (!mayClear) return
    const ids = new Set(left.map(({ id }) => id))
    const over = page.map((operation) => idOf(mapping, operation)).filter((id) => !ids.has(id))
    if (over.length > 0) await store.issues.clear(over)
  }
}

/** Does it stop a run or a liveSync until a person decides? */
export function waitsForPeople(problem: Problem): boolean {
  const { code } = problem
  return code === 'GUARD' || code === 'EMPTY_SOURCE' || problem instanceof LostProperties
}

/** The guard stopped a run, or its source was empty or has lost what it had. */
export function stoppedRunIssue(mapping: string, runId: string, { code, message, hint }: Problem): Issue {
  const facts = { mapping, phase: 'run', kind: 'GUARD', message, hint, runId } as const
  return issue(stoppedRunId(mapping), { ...facts, sign: message, details: { code } })
}

export function stoppedRunId(mapping: string): string {
  return issueId(mapping, 'run')
}

/** The same of a liveSync; it concerns all mappings of the source. */
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

export interface DeadLetter {
  /** Where it is kept. */
  readonly path: string
  /** The set of the object. */
  readonly source: string
  readonly sourceId: string
  readonly attempts?: number
  /** Of the mapping that failed; a change that could not be read has come to none. */
  readonly failed: JsonObject | undefined
}

/**
 * A change that was given up. It takes the place of the failure that it has been until now, and what becomes of the object later, in
 * whatever way, takes its place.
 */
export function deadLetterIssue(message: string, { path, failed, ...details }: DeadLetter): Issue {
  const { mapping, linkQualifier, targetObjectSet } = failed ?? {}
  const name = typeof mapping === 'string' ? mapping : ''
  const id =
    typeof linkQualifier === 'string'
      ? issueId(name, 'source', linkQualifier, details.sourceId)
      : issueId('dead letter', path)
  return issue(id, {
    ...{
      mapping: name,
      phase: path.startsWith('sync/queue') ? 'queue' : 'liveSync',
      kind: 'DEAD_LETTER',
      message,
    },
    ...{ hint: hints.DEAD_LETTER, sign: message },
    details: {
      ...details,
      ...(typeof linkQualifier === 'string' && { linkQualifier, target: targetObjectSet ?? null }),
      letter: path,
    },
  })
}

/** Stores the case; how its object is called is known from the failure that it has been. */
export async function reportLetter({ issues }: Pick<Store, 'issues'>, letter: Issue): Promise<void> {
  const { sourceName, targetName } = (await issues.read(letter.id))?.content ?? {}
  const names = {
    ...(sourceName !== undefined && { sourceName }),
    ...(targetName !== undefined && { targetName }),
  }
  await issues.report([{ ...letter, content: { ...letter.content, ...names } }])
}

/** The case of a letter that was tried again or dropped is over; unless something else has taken its place. */
export async function clearLetter({ issues }: Pick<Store, 'issues'>, path: string): Promise<void> {
  const filter = { kind: 'compare', operator: 'eq', pointer: ['letter'], value: path } as const
  const { result } = await issues.query({ filter })
  if (result.length > 0) await issues.clear(result.map(({ _id }) => String(_id)))
}
