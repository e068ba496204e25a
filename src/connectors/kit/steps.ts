import { isIP, type Socket } from 'node:net'

/**
 * The steps of a test of a system, in the order in which they are taken: whoever looks for a fault sees how far the connection
 * came. A connector says when it begins with the next one; the first that fails ends the test.
 */
export type StepName =
  | 'settings'
  | 'resolve'
  | 'connect'
  | 'TLS'
  | 'bind'
  | 'log in'
  | 'open'
  | 'server'
  | 'base'
  | 'schema'
  | 'table'
  | 'content'
  | 'test'
  | 'first page'
  | 'second page'

export interface Steps {
  /**
   * The step before was successful; this one begins. `detail`: what it is about, e.g. the server. Without it, the name of the
   * present step goes on with that.
   */
  enter(name: StepName, detail?: string): void
  /** What the present step has found. */
  tell(detail: string, advice?: string): void
  /** The present step has failed, and the test goes on with another way, e.g. the next server. */
  fail(error: unknown): void
}

/** For calls that nobody follows. */
export const noSteps: Steps = { enter() {}, tell() {}, fail() {} }

/** What can be seen of a connection to a server while it is opened. */
export interface Opening {
  readonly host: string
  readonly port: number
  /** What comes after the connection is there. */
  readonly next: StepName
  /** What comes after TLS, on a socket that begins with it. */
  readonly afterTls?: StepName
}

/** Follows a socket that begins to connect: the name of the host, the connection, TLS. */
export function followSocket(socket: Socket, { host, port, next, afterTls }: Opening, steps: Steps): void {
  if (isIP(host) !== 0) steps.enter('connect', `${host}:${port}`)
  else {
    steps.enter('resolve', host)
    // A name may have several addresses, and each is reported.
    socket.once('lookup', (error: Error | null, address: string) => {
      if (error) return
      steps.tell(`${host} is ${address}`)
      steps.enter('connect', `${address}:${port}`)
    })
  }
  socket.once('connect', () => steps.enter(next))
  if (afterTls !== undefined) socket.once('secureConnect', () => steps.enter(afterTls))
}
