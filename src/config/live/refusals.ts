import { Problem } from '../../model/problem.ts'
import type { ConfigurationProblem } from '../project.ts'
import type { Candidate, Use } from './candidate.ts'

/**
 * New errors. In the file being written, all errors count: its author can correct them all. Places move
 * when a file is edited, so elsewhere errors are compared by message.
 */
export function newErrors(
  { problems }: Pick<Candidate, 'problems'>,
  current: Pick<Candidate, 'problems'>,
  written?: string,
): readonly ConfigurationProblem[] {
  const known = new Set(current.problems.filter(isError).map(identity))
  return problems.filter(
    (problem) => isError(problem) && (problem.file === written || !known.has(identity(problem))),
  )
}

function isError({ severity }: ConfigurationProblem): boolean {
  return severity === 'error'
}

function identity({ file, message }: ConfigurationProblem): string {
  return JSON.stringify([file, message])
}

/**
 * CONFIGURATION (400) if the new content is wrong, CONFLICT (409) if it makes something else wrong. The detail
 * lists every error with its pointer.
 */
export function refuseProblems(id: string, errors: readonly ConfigurationProblem[], written: string): void {
  if (errors.length === 0) return
  const own = errors.filter(({ file }) => file === written)
  const [first] = (own.length > 0 ? own : errors) as readonly [ConfigurationProblem]
  const others = errors.length > 1 ? ` (and ${errors.length - 1} more, see the detail)` : ''
  const where = own.length > 0 ? first.pointer || '/' : `${first.file} ${first.pointer}`
  const detail = errors.map(({ file, pointer, message }) =>
    file === written ? { pointer, message } : { file, pointer, message },
  )
  const code = own.length > 0 ? 'CONFIGURATION' : 'CONFLICT'
  throw new Problem(code, `config/${id} is not changed: ${where}: ${first.message}${others}`, {
    detail,
    hint: 'Correct what the detail lists; what was in force before is still in force.',
  })
}

/** The first entry in use that would change. */
export function conflictingUse(
  next: ReadonlyMap<string, string>,
  current: ReadonlyMap<string, string>,
  inUse: readonly Use[],
): Use | undefined {
  return inUse.find(({ entry }) => current.get(entry) !== next.get(entry))
}

/** CONFLICT if an entry that would change is in use. */
export function refuseInUse(id: string, used: Use | undefined): void {
  if (!used) return
  throw new Problem('CONFLICT', `config/${id} is not changed: ${used.entry} is in use by ${used.by}`, {
    hint: 'Wait until it has ended, or cancel it.',
  })
}
