import { hash } from 'node:crypto'
import { Problem, type ProblemCode, problems } from '../../model/problem.ts'
import { type Applied, ambiguousIds, type Decided, succeeded } from './operation.ts'

/** Why operations failed, as all that failed alike have it. */
export interface Cause {
  /** The same for all that failed alike, in every run. */
  readonly id: string
  readonly code: ProblemCode
  /** What to do about it. */
  readonly hint: string
  /** Of this operation. */
  readonly message: string
}

const known = new WeakMap<object, Cause>()

/** Undefined for an operation that did not fail. What a plan leaves out has not failed: it was not tried. */
export function causeOf(operation: Decided | Applied): Cause | undefined {
  if (succeeded(operation) || operation.stale) return undefined
  const found = known.get(operation) ?? madeCause(operation)
  known.set(operation, found)
  return found
}

function madeCause(operation: Decided | Applied): Cause {
  const { failure, refusal } = operation
  const problem = failure && telling(failure)
  const code = problem?.code ?? 'SYNC_FAILED'
  const message = failure?.message ?? refusal ?? 'failed'
  const common = commonMessage(message, ownTexts(operation))
  return {
    id: hash('sha1', `${code}\n${common}`, 'hex').slice(0, 12),
    code,
    hint: hintOf(code, problem),
    message,
  }
}

/** The first problem of the chain that says more than that a step failed. */
function telling(failure: Problem): Problem {
  let problem: unknown = failure
  while (problem instanceof Problem) {
    if (problem.code !== 'SYNC_FAILED') return problem
    problem = problem.cause
  }
  return failure
}

function hintOf(code: ProblemCode, problem: Problem | undefined): string {
  if (code === 'SYNC_FAILED')
    return '`syncline explain MAPPING ID` shows how the object is decided; correct its data or the mapping.'
  if (code === 'POLICY_FAILED')
    return 'Correct the values at the source, or the transform or policy of the property that the message names.'
  return problem?.hint ?? problems[code].hint
}

/** What makes the message of one operation differ from that of another: its ids and its values. */
function ownTexts(operation: Decided | Applied): readonly string[] {
  const { sourceId, targetId, source, desired, holder, candidates } = operation
  const heldBy = operation.stage === 'applied' ? operation.heldBy : undefined
  const values = [source, desired].flatMap((object) => Object.values(object ?? {}))
  return [
    ...[sourceId, targetId, holder?.sourceId],
    ...[...ambiguousIds({ candidates }), ...(heldBy ?? []), ...values.flat()],
  ].filter((text) => typeof text === 'string')
}

/** Longer texts are not repeated in messages. */
const longest = 200
/** Enough for the attributes of a person; the expression must not grow with the data. */
const mostTexts = 100

/** A message without what belongs to one object alone: its ids and values, what stands in quotes, and numbers. */
export function commonMessage(message: string, own: readonly string[]): string {
  const texts = own.filter((text) => text !== '' && text.length <= longest).slice(0, mostTexts)
  const found = texts.filter((text) => message.includes(text)).toSorted((a, b) => b.length - a.length)
  const without =
    found.length === 0
      ? message
      : message.replaceAll(
          new RegExp(`(?<![\\p{L}\\p{N}])(?:${found.map(literal).join('|')})(?![\\p{L}\\p{N}])`, 'gu'),
          '…',
        )
  return without
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '…')
    .replaceAll(/\d+/g, '#')
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
