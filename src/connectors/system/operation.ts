import { asObject, type JsonObject } from '../../model/json.ts'
import { Problem, type ProblemCode } from '../../model/problem.ts'
import { connectorError } from '../kit/errors.ts'

/** The calls of a connector. */
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
  | 'SCRIPT_ON_CONNECTOR'

export interface Operation {
  readonly system: string
  readonly name: OperationName
  readonly objectType?: string | undefined
  readonly uid?: string | undefined
  /** Milliseconds; undefined: no limit. */
  readonly timeout: number | undefined
  /** The number of requests, for rate limits. Absent: one. */
  readonly requests?: number
}

export function isWrite(name: OperationName): boolean {
  return name === 'CREATE' || name === 'UPDATE' || name === 'DELETE'
}

/** Milliseconds per operation (platform §4.1); -1 and absent: no limit. */
export function timeoutOf({ operationTimeout }: JsonObject, name: OperationName): number | undefined {
  const value = asObject(operationTimeout)[name]
  return typeof value === 'number' && value > 0 ? value : undefined
}

/**
 * Failures of connectors as Problems (platform §4.7; the kinds and their codes: kit/errors.ts). The message is the system's
 * own; the detail says where it happened and whether a retry may help.
 */
export function failureOf(error: unknown, { system, objectType, name, uid }: Operation): Problem {
  const problem = connectorError(error)
  const detail = {
    ...asObject(problem.detail),
    system,
    ...(objectType !== undefined && { objectType }),
    operation: name,
    ...(uid !== undefined && { uid }),
    retryable: retryable.has(problem.code),
  }
  const { code, message, status, hint } = problem
  return new Problem(code, message, { cause: problem, detail, status, hint })
}

const retryable: ReadonlySet<ProblemCode> = new Set(['UNAVAILABLE', 'CONFLICT'])
