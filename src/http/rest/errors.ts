import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Errors on the wire (platform §1.5). A `Problem` was written for whoever made the request and is
 * shown as it is; anything else is our fault, may contain anything, and is only logged.
 */
export function errorBody(problem: Problem, transactionId: string): JsonObject {
  return {
    code: problem.status,
    reason: reasonOf(problem.status),
    message: publicMessage(problem, transactionId),
    ...(problem.detail !== undefined && { detail: problem.detail as Json }),
    ...causeOf(problem, transactionId),
  }
}

/** Unexpected: the caller learns nothing about it, the log everything. */
export function isInternal(problem: Problem): boolean {
  return problem.code === 'INTERNAL'
}

function publicMessage(problem: Problem, transactionId: string): string {
  return isInternal(problem)
    ? `Internal error; the log has the details under transaction ${transactionId}`
    : problem.message
}

function causeOf({ cause }: Problem, transactionId: string): JsonObject {
  return cause instanceof Problem && !isInternal(cause) ? { cause: errorBody(cause, transactionId) } : {}
}

/** Not imported: that would load Node's HTTP client as well, a tenth of the time of a short command. */
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** Two of them are not what HTTP calls them today. */
const reasons: Readonly<Record<number, string>> = { 408: 'Request Time-out', 504: 'Gateway Time-out' }

function reasonOf(status: number): string {
  return reasons[status] ?? STATUS_CODES[status] ?? 'Error'
}
