import { type Finding, FindingError } from '../../model/finding.ts'
import { Problem, type ProblemCode } from '../../model/problem.ts'

/**
 * The kinds of failure of a system. A connector throws a `ConnectorError` of the kind that fits best, with the system's own
 * words; the kind decides the response and whether Syncline retries. Any other error counts as
 * `failed`, or as `connection` if it has one of the codes of the operating system for that.
 */
const errorKinds = {
  /** The system cannot be reached, or the connection broke. */
  connection: { code: 'UNAVAILABLE', retryable: true },
  timeout: { code: 'UNAVAILABLE', retryable: true },
  /** The system asks to come back later; `retryAfter` says when. */
  busy: { code: 'UNAVAILABLE', retryable: true },
  /** Another program uses the same object; a later attempt may succeed. */
  conflict: { code: 'CONFLICT', retryable: true },
  /** The system rejects the credentials of the connector. */
  authentication: {
    code: 'CONNECTOR_FAILED',
    hint: 'Check the account and the credentials in configurationProperties.',
  },
  /** `authenticate` got a wrong name or password. */
  wrongCredentials: { code: 'UNAUTHORIZED' },
  passwordExpired: { code: 'FORBIDDEN' },
  /** The connector's account lacks the permission. */
  permission: { code: 'FORBIDDEN' },
  invalidValue: { code: 'INVALID_VALUE' },
  /** Valid values that do not fit the schema: a required one is missing, an attribute unknown. */
  schemaViolation: { code: 'INVALID_VALUE' },
  /** An object exists and cannot be read: the problem of an `Unreadable`. */
  unreadable: { code: 'UNREADABLE' },
  alreadyExists: { code: 'PRECONDITION_FAILED' },
  /** The object has changed since it was read. */
  changed: { code: 'PRECONDITION_FAILED' },
  /** There is no object with this id. */
  unknownId: { code: 'NOT_FOUND' },
  /** The system has no objects of this class. */
  unknownClass: { code: 'NOT_FOUND' },
  unsupported: { code: 'NOT_IMPLEMENTED' },
  /** The settings do not fit the system. */
  misconfigured: { code: 'CONFIGURATION', status: 500 },
  /** A paging cookie of another query. */
  unknownCookie: { code: 'BAD_REQUEST' },
  /** A token from which changes cannot be listed: too old, or of a system that was restored or replaced. */
  staleToken: {
    code: 'CONNECTOR_FAILED',
    hint: 'Read everything anew, as liveSync does by itself.',
  },
  failed: { code: 'CONNECTOR_FAILED' },
} as const satisfies Record<string, KindFacts>

interface KindFacts {
  readonly code: ProblemCode
  readonly retryable?: boolean
  readonly status?: number
  readonly hint?: string
}

export type ErrorKind = keyof typeof errorKinds

export function isErrorKind(name: unknown): name is ErrorKind {
  return typeof name === 'string' && Object.hasOwn(errorKinds, name)
}

export interface ErrorOptions {
  readonly cause?: unknown
  /** Facts for machines. Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>
  /** The attribute that caused the error. */
  readonly attribute?: string
  /** Milliseconds after which the system accepts requests again, as it says. */
  readonly retryAfter?: number
  /** What to do about it; replaces the hint of the kind. */
  readonly hint?: string
}

export class ConnectorError extends Problem {
  readonly kind: ErrorKind
  readonly retryAfter: number | undefined

  constructor(kind: ErrorKind, message: string, { retryAfter, attribute, ...options }: ErrorOptions = {}) {
    const { code, status, hint }: KindFacts = errorKinds[kind]
    const detail = attribute === undefined ? options.detail : { ...options.detail, attribute }
    super(code, message, { cause: options.cause, detail, status, hint: options.hint ?? hint })
    this.name = 'ConnectorError'
    this.kind = kind
    this.retryAfter = retryAfter
  }
}

/** Codes that libraries throw when a connection fails or breaks. */
const connectionCodes: ReadonlySet<string> = new Set([
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

/** Any error of a connector, as one of the kinds. A Problem without a kind is the caller's own. */
export function connectorError(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const code = errorCode(thrown)
  // Several addresses of one host that all failed have one error, without a message of its own.
  const message = thrown instanceof Error ? thrown.message || code || thrown.name : String(thrown)
  const kind = connectionCodes.has(code) ? 'connection' : 'failed'
  return new ConnectorError(kind, message, { cause: thrown })
}

/** The code of an error of the operating system or of a library; empty without one. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

/** The kind of an error; for a Problem without one, as far as known. */
export function kindOfError(thrown: unknown): ErrorKind | undefined {
  const problem = connectorError(thrown)
  if (problem instanceof ConnectorError) return problem.kind
  return problem.code === 'UNAVAILABLE' ? 'connection' : undefined
}

/**
 * CONFIGURATION: an error in a connector's document. The message begins with the place, for readers who see only the message.
 * `fact` follows the name of the member: `is empty; it names the file`.
 */
export function misconfigured(place: readonly string[], fact: string): FindingError {
  const finding: Finding = { place, message: `${place.at(-1)} ${fact}` }
  return new FindingError('CONFIGURATION', finding, `${place.join('/')} ${fact}`, finding)
}
