import { isJsonObject } from '../../model/json.ts'
import { Problem, type ProblemCode } from '../../model/problem.ts'

/** One call of a connector. */
export type OperationName =
  | 'CREATE'
  | 'UPDATE'
  | 'DELETE'
  | 'GET'
  | 'SEARCH'
  | 'AUTHENTICATE'
  | 'TEST'
  | 'SCHEMA'
  | 'SYNC'

export interface Operation {
  readonly system: string
  readonly name: OperationName
  readonly objectType?: string | undefined
  readonly uid?: string | undefined
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout: number | undefined
}

/**
 * Failures of connectors as Problems (platform §4.7). The message is the system's own; the detail says
 * on what it happened and whether trying again may help.
 */
export function failureOf(error: unknown, { system, objectType, name, uid }: Operation): Problem {
  const problem = error instanceof Problem ? error : classified(error)
  const detail = {
    ...(isJsonObject(problem.detail) && problem.detail),
    system,
    ...(objectType !== undefined && { objectType }),
    operation: name,
    ...(uid !== undefined && { uid }),
    retryable: retryable.has(problem.code),
  }
  return new Problem(problem.code, problem.message, { cause: problem, detail, status: problem.status })
}

const retryable: ReadonlySet<ProblemCode> = new Set(['UNAVAILABLE', 'CONFLICT'])

/** What libraries throw when a connection cannot be had, or breaks. */
const connectionErrors: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'EIO',
  'ENOSPC',
])

function classified(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const isConnection = typeof code === 'string' && connectionErrors.has(code)
  return new Problem(isConnection ? 'UNAVAILABLE' : 'CONNECTOR_FAILED', message, { cause: error })
}
