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

/** Prints the error and its hint to stderr; returns the exit code. */
export function reportFailure(error: unknown): number {
  if (error instanceof ConfigurationFailure) {
    for (const problem of error.problems) console.error(formatProblem(problem))
    console.error(style('red', error.message, process.stderr))
    return 2
  }
  const problem = asProblem(error)
  console.error(`${style('red', 'error:', process.stderr)} ${problem.message}`)
  if (error instanceof Problem) console.error(style('dim', problem.hint, process.stderr))
  else console.error(error instanceof Error ? error.stack : error)
  return usage.has(problem.code) ? 2 : 1
}
