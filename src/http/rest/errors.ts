import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Errors in HTTP answers (platform §1.5). A `Problem` was written for the caller and is returned unchanged. Any other
 * error is our fault and may contain secrets, so it is only logged. `problem` is the code that stays the same (docs/problems.md).
 */
export function errorBody(problem: Problem, transactionId: string): JsonObject {
  const own = thrownByScript(problem)
  // The answer is what the script threw; its cause says where.
  if (own) return { ...facts(own, transactionId), cause: facts(problem, transactionId) }
  const { cause } = problem
  return {
    ...facts(problem, transactionId),
    ...(cause instanceof Problem && !isInternal(cause) && { cause: errorBody(cause, transactionId) }),
  }
}

/** An object with a `code` that a script threw (engine §2.6). */
function thrownByScript({ code, status, cause }: Problem): Problem | undefined {
  const isOwn = code === 'SCRIPT_FAILED' && cause instanceof Problem && cause.code === 'SCRIPT_FAILED'
  return isOwn && cause.status === status ? cause : undefined
}

function facts(problem: Problem, transactionId: string): JsonObject {
  const { status, message, detail } = problem
  return {
    code: status,
    reason: reasons[status] ?? STATUS_CODES[status] ?? 'Error',
    message: isInternal(problem)
      ? `Internal error; the log has the details under transaction ${transactionId}`
      : message,
    problem: problem.code,
    ...(detail !== undefined && { detail: detail as Json }),
  }
}

/** Unexpected errors: details are logged, but not sent to the caller. */
export function isInternal(problem: Problem): boolean {
  return problem.code === 'INTERNAL'
}

/** Not imported: an import would also load Node's HTTP client, a tenth of the run time of a short command. */
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** The protocol has older names for these two. */
const reasons: Readonly<Record<number, string>> = { 408: 'Request Time-out', 504: 'Gateway Time-out' }
