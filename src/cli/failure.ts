import { formatProblem } from '../config/locate.ts'
import { asProblem, Problem, type ProblemCode } from '../model/problem.ts'
import { ConfigurationFailure } from '../server/usable.ts'
import { style } from './style.ts'

/** Codes of errors in the command line or in the configuration. */
const usage: ReadonlySet<ProblemCode> = new Set([
  'BAD_REQUEST',
  'BAD_FILTER',
  'CONFIGURATION',
  'NOT_FOUND',
  'STORE_TOO_NEW',
])

/** Prints the error and its hint to stderr and, with `--json`, as a document on stdout; returns the exit code. */
export function reportFailure(error: unknown, { json = false }: { readonly json?: boolean } = {}): number {
  const problem = asProblem(error)
  if (json) printFailure(problem)
  if (error instanceof ConfigurationFailure) {
    for (const finding of error.problems) console.error(formatProblem(finding))
    console.error(style('red', error.message, process.stderr))
    return 2
  }
  console.error(`${style('red', 'error:', process.stderr)} ${problem.message}`)
  if (error instanceof Problem) console.error(style('dim', problem.hint, process.stderr))
  else console.error(error instanceof Error ? error.stack : error)
  return usage.has(problem.code) ? 2 : 1
}

/** `{ "error": … }`: the same shape for every error of every command. */
export function printFailure({ status, message, code, hint, detail }: Problem): void {
  const facts = { code: status, problem: code, message, hint, ...(detail !== undefined && { detail }) }
  console.log(JSON.stringify({ error: facts }, null, 2))
}
