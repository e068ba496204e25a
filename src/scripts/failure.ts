import { Problem, type ProblemCode, problems } from '../model/problem.ts'

/** Failures on their way out of the sandbox, and refusals on their way in. */
interface PortableProblem {
  readonly code: string
  readonly message: string
  readonly status?: number
  readonly detail?: unknown
  readonly cause?: PortableProblem
}

/** What the sandbox's inner half made of anything thrown. */
export function reviveProblem(
  { code, message, status, detail, cause }: PortableProblem,
  hidden: (text: string) => string = (text) => text,
): Problem {
  const known = Object.hasOwn(problems, code) ? (code as ProblemCode) : 'SCRIPT_FAILED'
  return new Problem(known, hidden(message), {
    detail: hiddenBelow(detail, hidden),
    ...(status !== undefined && { status }),
    ...(cause && { cause: reviveProblem(cause, hidden) }),
  })
}

function hiddenBelow(value: unknown, hidden: (text: string) => string): unknown {
  if (typeof value === 'string') return hidden(value)
  if (Array.isArray(value)) return value.map((one) => hiddenBelow(one, hidden))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hiddenBelow(one, hidden)]))
}

/** An error of the host as a script sees it: the fields of an error answer, never a stack. */
export function refusalOf(error: unknown): { code: number; message: string; detail?: unknown } {
  if (!(error instanceof Problem))
    return { code: 500, message: error instanceof Error ? error.message : String(error) }
  const { status, message, detail } = error
  return detail === undefined ? { code: status, message } : { code: status, message, detail }
}
