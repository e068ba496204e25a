import { Problem, type ProblemCode } from '../../model/problem.ts'

/**
 * What can go wrong at a system. A connector throws a `ConnectorError` of the kind that fits best, with the system's own
 * words; what surrounds it knows from the kind what to answer and whether to try again. Anything else that it throws counts as
 * `failed`, or as `connection` if it has one of the codes of the operating system for that.
 */
export const errorKinds = {
  /** The system cannot be reached, or the connection broke. */
  connection: { code: 'UNAVAILABLE', retryable: true },
  timeout: { code: 'UNAVAILABLE', retryable: true },
  /** The system asks to come back later; `retryAfter` says when. */
  busy: { code: 'UNAVAILABLE', retryable: true },
  /** Another program is at the same thing; later it may succeed. */
  conflict: { code: 'CONFLICT', retryable: true },
  /** The system does not let the connector in. */
  authentication: {
    code: 'CONNECTOR_FAILED',
    hint: 'Check the account and the credentials in configurationProperties.',
  },
  /** `authenticate` was asked with a wrong name or password. */
  wrongCredentials: { code: 'UNAUTHORIZED' },
  passwordExpired: { code: 'FORBIDDEN' },
  /** The connector's account may not do that. */
  permission: { code: 'FORBIDDEN' },
  invalidValue: { code: 'INVALID_VALUE' },
  /** Values that are right by themselves do not fit the schema: a required one is missing, an attribute unknown. */
  schemaViolation: { code: 'INVALID_VALUE' },
  alreadyExists: { code: 'PRECONDITION_FAILED' },
  /** The object is no longer what it was when it was read. */
  changed: { code: 'PRECONDITION_FAILED' },
  /** There is no object with this id. */
  unknownId: { code: 'NOT_FOUND' },
  /** The system has no objects of this class. */
  unknownClass: { code: 'NOT_FOUND' },
  unsupported: { code: 'NOT_IMPLEMENTED' },
  /** The settings do not fit the system. */
  misconfigured: { code: 'CONFIGURATION', status: 500 },
  /** A paging cookie that is not of this query. */
  unknownCookie: { code: 'BAD_REQUEST' },
  /** A token from which changes cannot be told: too old, or of a system that was restored or replaced. */
  staleToken: {
    code: 'CONNECTOR_FAILED',
    hint: 'Delete the liveSync state of this source to start from the present, and reconcile what was missed.',
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

export interface ErrorOptions {
  readonly cause?: unknown
  /** Facts for machines. Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>
  /** The attribute that is to blame. */
  readonly attribute?: string
  /** Milliseconds after which the system says that it can be asked again. */
  readonly retryAfter?: number
  /** What to do about it, in place of what the kind says. */
  readonly hint?: string
}

export class ConnectorError extends Problem {
  readonly kind: ErrorKind
  readonly retryAfter: number | undefined

  constructor(kind: ErrorKind, message: string, { retryAfter, attribute, ...options }: ErrorOptions = {}) {
    const { code, status, hint }: KindFacts = errorKinds[kind]
    const detail = attribute === undefined ? options.detail : { ...options.detail, attribute }
    super(code, message, {
      cause: options.cause,
      ...(detail && { detail }),
      ...(status !== undefined && { status }),
      ...((options.hint ?? hint) !== undefined && { hint: options.hint ?? (hint as string) }),
    })
    this.name = 'ConnectorError'
    this.kind = kind
    this.retryAfter = retryAfter
  }
}

/** What libraries throw when a connection cannot be had, or breaks. */
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

/** Whatever a connector threw, as one of the kinds. A Problem that is none is the caller's own. */
export function connectorError(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const kind = connectionCodes.has(errorCode(thrown)) ? 'connection' : 'failed'
  return new ConnectorError(kind, message, { cause: thrown })
}

/** The code of an error of the operating system or of a library; empty if it has none. */
export function errorCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

/** The kind of an error, as far as a Problem without one lets it be known. */
export function kindOfError(thrown: unknown): ErrorKind | undefined {
  const problem = connectorError(thrown)
  if (problem instanceof ConnectorError) return problem.kind
  return problem.code === 'UNAVAILABLE' ? 'connection' : undefined
}
