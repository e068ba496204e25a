import type { IncomingHttpHeaders } from 'node:http'

/** An external request and its answer, as reported to the observer. */
export interface Exchange {
  readonly transactionId: string
  /** The caller; undefined: not authenticated. */
  readonly userId: string | undefined
  readonly roles: readonly string[]
  readonly server: Address
  readonly client: Address
  readonly secure: boolean
  /** The HTTP method, as sent. */
  readonly method: string
  /** The path with the context path. */
  readonly path: string
  /** The part after the question mark. */
  readonly search: string
  readonly headers: IncomingHttpHeaders
  /** The operation, e.g. READ, or ACTION with its name. */
  readonly operation: string
  readonly action: string | undefined
  readonly status: number
  /** The message of an error answer. */
  readonly reason: string | undefined
  /** ms */
  readonly elapsed: number
}

export interface Address {
  readonly ip: string | null
  readonly port: number | null
}

/** A check of credentials. A recent success is not checked again. */
export interface Attempt {
  readonly transactionId: string
  /** The name as sent: the account may not exist. */
  readonly username: string
  readonly address: string
  readonly successful: boolean
  readonly module: string
  readonly reason?: string | undefined
}

/** Observes external requests, for records. Its methods must neither wait nor throw. */
export interface RequestObserver {
  exchange(exchange: Exchange): void
  attempt(attempt: Attempt): void
}
