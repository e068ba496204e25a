import { asProblem, Problem, type ProblemCode, problems } from './problem.ts'

/** A problem as JSON carries it: out of the sandbox, and within a decision. */
export interface PlainProblem {
  readonly code: string
  readonly message: string
  readonly status?: number
  readonly detail?: unknown
  readonly cause?: PlainProblem
}

/** Anything thrown; what is no problem of its own gets `code`. */
export function plainProblem(thrown: unknown, code: ProblemCode, depth = 0): PlainProblem {
  if (!(thrown instanceof Problem)) return { code, message: asProblem(thrown).message }
  const { message, status, detail, cause } = thrown
  return {
    code: thrown.code,
    message,
    status,
    ...serializable(detail),
    ...(cause === undefined || depth > 5 ? {} : { cause: plainProblem(cause, code, depth + 1) }),
  }
}

/** `hidden`: what must not be said takes other words; a script may put into its error what it decrypted. */
export function revivedProblem(
  { code, message, status, detail, cause }: PlainProblem,
  hidden: (text: string) => string = (text) => text,
): Problem {
  return new Problem(isCode(code) ? code : 'SCRIPT_FAILED', hidden(message), {
    detail: hiddenBelow(detail, hidden),
    ...(status !== undefined && { status }),
    ...(cause && { cause: revivedProblem(cause, hidden) }),
  })
}

function hiddenBelow(value: unknown, hidden: (text: string) => string): unknown {
  if (typeof value === 'string') return hidden(value)
  // A number may be a secret as a whole.
  if (typeof value === 'number')
    return hidden(String(value)) === String(value) ? value : hidden(String(value))
  if (Array.isArray(value)) return value.map((one) => hiddenBelow(one, hidden))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hiddenBelow(one, hidden)]))
}

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(problems, code)
}

/** A script may have thrown what JSON cannot hold. */
function serializable(detail: unknown): { detail?: unknown } {
  try {
    const text: string | undefined = JSON.stringify(detail)
    return text === undefined ? {} : { detail: JSON.parse(text) }
  } catch {
    return {}
  }
}
