import type { IncomingHttpHeaders } from 'node:http'

/** A request from outside and how it was answered, as whoever keeps records hears of it. */
export interface Exchange {
  readonly transactionId: string
  /** Who asked; undefined: nobody that is known. */
  readonly userId: string | undefined
  readonly roles: readonly string[]
  readonly server: Address
  readonly client: Address
  readonly secure: boolean
  /** As it was sent. */
  readonly method: string
  /** The path with the context path. */
  readonly path: string
  /** What follows the question mark. */
  readonly search: string
  readonly headers: IncomingHttpHeaders
  /** What was asked for, e.g. READ, or ACTION with its name. */
  readonly operation: string
  readonly action: string | undefined
  readonly status: number
  /** What the answer says if it is an error. */
  readonly reason: string | undefined
  /** ms */
  readonly elapsed: number
}

export interface Address {
  readonly ip: string | null
  readonly port: number | null
}

/** Credentials that were looked at. What was found out a moment ago is not looked at again. */
export interface Attempt {
  readonly transactionId: string
  /** As it was sent: there need be no such account. */
  readonly username: string
  readonly address: string
  readonly successful: boolean
  readonly module: string
  readonly reason?: string | undefined
}

/** Keeps records of what comes from outside; must neither wait nor fail. */
export interface Witness {
  exchange(exchange: Exchange): void
  attempt(attempt: Attempt): void
}
