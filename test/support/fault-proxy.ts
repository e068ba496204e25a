import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectSecure, TLSSocket } from 'node:tls'
import type { Certificates } from '../../src/connectors/ldap/testing/certificates.ts'

/**
 * A network between Syncline and a directory that fails on demand. It knows as much of LDAP as is needed to fail at a certain message:
 * where one ends, and which operation it is (RFC 4511, section 4.2: the tag after the message id).
 */
export type Fault =
  /** Nothing goes through any more, and the connections stay: a switch that died. */
  | { readonly kind: 'half-open' }
  /** All connections are reset, and new ones at once. */
  | { readonly kind: 'reset' }
  /** A few bytes now and then. */
  | { readonly kind: 'slow' }
  /** A write reaches the directory, its answer does not come back. `after`: so many answers to writes come back before. */
  | { readonly kind: 'answer lost'; readonly after: number }
  /** The connection breaks in the middle of an entry of a search, after so many entries. */
  | { readonly kind: 'page cut'; readonly after: number }

export interface FaultProxy extends AsyncDisposable {
  readonly port: number
  inject(fault: Fault): void
  /** Everything goes through; connections that were not broken go on. */
  heal(): void
  /** How many connections the faults have hit. */
  readonly hits: number
}

const operations = { entry: 0x64, writes: new Set([0x67, 0x69, 0x6b, 0x6d]) }

/** Where the directory is; the proxy listens at the same address, and with `certificates` speaks TLS to both, as the directory would. */
interface Target {
  readonly host: string
  readonly port: number
  readonly certificates?: Certificates
}

export async function faultProxy(target: Target): Promise<FaultProxy> {
  const { host, port } = target
  const lines = new Set<Line>()
  const state: State = { fault: undefined, left: 0, hits: 0 }
  const server = createServer({ noDelay: true }, (client) => {
    const line = new Line(client, connect({ host, port, noDelay: true }), state, target)
    lines.add(line)
    client.once('close', () => lines.delete(line))
  }).listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port')
  return {
    port: address.port,
    get hits() {
      return state.hits
    },
    inject(fault) {
      state.fault = fault
      state.left = 'after' in fault ? fault.after : 0
      if (fault.kind === 'reset') for (const line of lines) line.cut()
    },
    heal() {
      state.fault = undefined
      // What was kept back is lost: the sender has long given it up, or will see that the connection is gone.
      for (const line of lines) if (line.isSilent) line.cut()
    },
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.cut()
      server.close()
      await once(server, 'close')
    },
  }
}

interface State {
  fault: Fault | undefined
  /** Messages that pass before the fault. */
  left: number
  hits: number
}

/** One connection of a client, and the one to the directory that belongs to it. */
class Line {
  readonly #connections: readonly Socket[]
  /** What the messages to the client go through. */
  readonly #client: Socket
  readonly #state: State
  #rest = Buffer.alloc(0)
  isSilent = false

  constructor(client: Socket, directory: Socket, state: State, target: Target) {
    this.#connections = [client, directory]
    this.#state = state
    const [toClient, toDirectory] = secured(client, directory, target)
    this.#client = toClient
    for (const socket of new Set([...this.#connections, toClient, toDirectory])) {
      socket.on('error', () => this.cut())
      socket.on('close', () => this.cut())
    }
    if (state.fault?.kind === 'reset') this.cut()
    void this.#pump(toClient, (bytes) => toDirectory.write(bytes))
    void this.#pump(toDirectory, (bytes) => this.#answer(bytes))
  }

  cut(): void {
    for (const socket of this.#connections) socket.resetAndDestroy()
  }

  async #pump(from: Socket, forward: (bytes: Buffer) => unknown): Promise<void> {
    try {
      for await (const bytes of from as AsyncIterable<Buffer>) {
        if (this.#state.fault?.kind === 'half-open') this.#hit()
        if (this.#state.fault?.kind === 'slow') await this.#trickle(bytes, forward)
        else if (!this.isSilent) forward(bytes)
      }
    } catch {
      // The other side is told by the events of the sockets.
    }
    this.cut()
  }

  async #trickle(bytes: Buffer, forward: (bytes: Buffer) => unknown): Promise<void> {
    for (let at = 0; at < bytes.length; at += 64) {
      if (this.#state.fault?.kind === 'slow') await sleep(5)
      forward(bytes.subarray(at, at + 64))
    }
  }

  #hit(): void {
    if (!this.isSilent) this.#state.hits++
    this.isSilent = true
  }

  /** Passes the messages of the directory on, one by one, up to the one that the fault is about. */
  #answer(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (;;) {
      const message = firstMessage(this.#rest)
      if (!message) return
      this.#rest = this.#rest.subarray(message.length)
      if (!this.#breaksAt(message)) {
        this.#client.write(message)
        continue
      }
      this.#state.hits++
      if (this.#state.fault?.kind === 'page cut') this.#client.write(message.subarray(0, message.length / 2))
      this.#state.fault = undefined
      // What was written before arrives.
      this.#client.end(() => this.cut())
      return
    }
  }

  #breaksAt(message: Buffer): boolean {
    const { fault } = this.#state
    const operation = operationOf(message)
    const isMeant =
      (fault?.kind === 'answer lost' && operations.writes.has(operation)) ||
      (fault?.kind === 'page cut' && operation === operations.entry)
    return isMeant && this.#state.left-- <= 0
  }
}

/** What messages go through in clear: with certificates, the ends of TLS on both sides. */
function secured(
  client: Socket,
  directory: Socket,
  { host, certificates }: Target,
): readonly [Socket, Socket] {
  if (!certificates) return [client, directory]
  const [ca, cert, key] = [certificates.authority, certificates.certificate, certificates.key].map((file) =>
    readFileSync(file),
  )
  return [
    new TLSSocket(client, { isServer: true, cert, key }),
    connectSecure({ socket: directory, host, ca }),
  ]
}

/** The first whole message: a sequence with a length in BER; undefined while it is not complete. */
function firstMessage(bytes: Buffer): Buffer | undefined {
  const header = headerOf(bytes, 0)
  if (!header || bytes.length < header.start + header.length) return undefined
  return bytes.subarray(0, header.start + header.length)
}

function operationOf(message: Buffer): number {
  const sequence = headerOf(message, 0)
  const id = sequence && headerOf(message, sequence.start)
  return (id && message[id.start + id.length]) ?? 0
}

function headerOf(
  bytes: Buffer,
  at: number,
): { readonly start: number; readonly length: number } | undefined {
  const first = bytes[at + 1]
  if (first === undefined) return undefined
  const more = first < 0x80 ? 0 : first & 0x7f
  if (bytes.length < at + 2 + more) return undefined
  return { start: at + 2 + more, length: more === 0 ? first : bytes.readUIntBE(at + 2, more) }
}
