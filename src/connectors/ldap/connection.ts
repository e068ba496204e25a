import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectSecure } from 'node:tls'
import { Client, Control, type Entry, type Filter, type PasswordPolicyControl, PresenceFilter } from 'ldapts'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import { followSocket, noSteps, type Steps } from '../kit/steps.ts'
import type { Secret } from '../kit/values.ts'
import { descriptorControls } from './active-directory/security-descriptor.ts'
import { EntryReader } from './entry-reader.ts'
import { ldapError, resultCode } from './errors.ts'
import { type Answer, Searches } from './searches.ts'
import type { Bind } from './securing.ts'
import { nameOf, type Server, serversOfDomain, systemResolver } from './servers.ts'
import type { LdapSettings, Scope } from './settings.ts'

/** One connection to one server, bound once. It never reconnects: a new connection would be anonymous. */
export class Connection {
  readonly server: string
  /** What is sent and received is encrypted. */
  readonly isSecure: boolean
  readonly #client: Client
  readonly #socket: () => Socket | undefined
  /** Of all searches. */
  readonly #controls: readonly Control[]
  #searches: Searches | undefined

  private constructor(server: Server, settings: LdapSettings, steps: Steps) {
    const { client, socket } = clientOf(server, settings, steps)
    this.#client = client
    this.#socket = socket
    this.isSecure = server.secure || settings.securing.startTls
    this.server = nameOf(server)
    this.#controls = settings.showDeleted ? [new Control(showDeleted, { critical: true })] : []
  }

  /** To the first of the servers that can be reached; whoever answers with an error is not passed over. */
  static async open(settings: LdapSettings, signal?: AbortSignal, steps = noSteps): Promise<Connection> {
    const failures: unknown[] = []
    const servers = await serversNow(settings)
    for (const server of servers) {
      const connection = new Connection(server, settings, steps)
      try {
        await connection.#begin(server, settings, signal)
        steps.tell(identityIn(settings.securing.bind))
        return connection
      } catch (error) {
        await connection.close()
        signal?.throwIfAborted()
        if (!isUnreachable(error)) throw error
        if (server !== servers.at(-1)) steps.fail(error)
        failures.push(error)
      }
    }
    if (failures.length === 1) throw failures[0]
    const texts = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
    throw new ConnectorError('connection', `No server can be used: ${texts.join('; ')}`, {
      cause: failures[0],
    })
  }

  get isUsable(): boolean {
    return this.#client.isConnected
  }

  async #begin(server: Server, settings: LdapSettings, signal: AbortSignal | undefined): Promise<void> {
    const { startTls, bind } = settings.securing
    if (startTls && !server.secure && server.path === undefined)
      await this.#call((client) => client.startTLS(tlsOptions(server, settings)), signal)
    await this.#call((client) => {
      if (bind.kind === 'external') return client.bind('EXTERNAL')
      return bind.kind === 'simple' ? client.bind(bind.dn, bind.password.reveal()) : client.bind('', '')
    }, signal)
    const socket = this.#socket()
    if (socket) this.#searches = new Searches(socket, settings.readTimeout)
  }

  /** Logs in as another account; for connections of their own. The control has the words of a password policy, also where it fails. */
  async bind(
    dn: string,
    password: Secret,
    policy: PasswordPolicyControl,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.run((client) => client.bind(dn, password.reveal(), [policy]), signal)
  }

  /** The entry of a name; undefined if there is none. */
  async entry(
    name: string,
    {
      attributes,
      binary = [],
    }: { readonly attributes: readonly string[]; readonly binary?: readonly string[] },
    signal?: AbortSignal,
  ): Promise<Entry | undefined> {
    const question = { filter: anything, attributes, binary, pageSize: undefined, scope: 'base' } as const
    try {
      for await (const { entries } of this.search(name, question, signal)) if (entries[0]) return entries[0]
    } catch (error) {
      if (resultCode(error) !== 32) throw error
    }
    return undefined
  }

  /**
   * Pages of the entries below a base; `pageSize` absent: one page, where the server has no paging. What came before a limit comes
   * before its error. Leaving in the middle abandons the search.
   */
  async *search(base: string, question: Question, signal?: AbortSignal): AsyncGenerator<FoundPage> {
    const { filter, attributes, binary, pageSize, scope = 'sub', hear } = question
    const reader = new EntryReader(binary)
    const controls = [...this.#controls, ...descriptorControls(attributes), ...(question.controls ?? [])]
    const asked = { filter, attributes, scope, reader, controls, hear }
    const searches = this.#searches
    if (!searches || !this.isUsable) throw closed(this.server)
    let current: number | undefined
    const ask = (cookie?: Buffer) => {
      const page = pageSize === undefined ? undefined : { size: pageSize, cookie }
      const { id, answer } = searches.ask(base, { ...asked, page })
      current = id
      return this.#call(() => answer, signal)
    }
    try {
      let coming: Promise<Answer> | undefined = ask()
      while (coming) {
        const { entries, references, cookie, failure }: Answer = await coming
        // The server works on the next page while this one is used.
        coming = cookie && !failure ? ask(cookie) : undefined
        coming?.catch(() => undefined)
        if (!failure || entries.length > 0) yield { entries, references }
        if (failure) throw ldapError(failure, this.server)
      }
    } finally {
      if (current !== undefined) searches.abandon(current)
    }
  }

  /** Calls the client, and gives its errors their kinds. Aborting closes the connection: the answer may still be under way. */
  async run<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.isUsable) throw closed(this.server)
    this.#sendTogether()
    return this.#call(work, signal)
  }

  /** Requests that begin at the same time go out as one packet: a server wakes up once for all of them. */
  #sendTogether(): void {
    const socket = this.#socket()
    socket?.cork()
    // Microtasks come first, and what they send.
    process.nextTick(() => socket?.uncork())
  }

  async #call<T>(work: (client: Client) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    aborted.promise.catch(() => undefined)
    // The client does not settle what was under way when its connection is closed.
    const abort = () => {
      aborted.reject(signal?.reason)
      void this.close()
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([work(this.#client), aborted.promise])
    } catch (error) {
      signal?.throwIfAborted()
      throw ldapError(error, this.server)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    await this.#client.unbind().catch(() => undefined)
  }
}

/** Of Active Directory: searches give what is left of deleted entries as well. */
const showDeleted = '1.2.840.113556.1.4.417'

const anything = new PresenceFilter({ attribute: 'objectClass' })

export interface Question {
  readonly filter: Filter
  readonly attributes: readonly string[]
  readonly binary: readonly string[]
  readonly pageSize: number | undefined
  /** Default: `sub`. */
  readonly scope?: Scope
  readonly controls?: readonly Control[]
  /** Told of each message of the answer as it has come. */
  readonly hear?: (message: Buffer) => void
}

export interface FoundPage {
  readonly entries: readonly Entry[]
  readonly references: readonly string[]
}

/** The connection is of no use any more: nothing that comes later would be answered. */
export function isBroken(error: unknown): boolean {
  return error instanceof ConnectorError ? ['connection', 'timeout'].includes(error.kind) : true
}

function isUnreachable(error: unknown): boolean {
  return ['connection', 'timeout', 'busy'].includes(kindOfError(error) ?? '')
}

/** A client that connects once, and the socket that it uses: with StartTLS not the one that it began with. */
function clientOf(
  server: Server,
  settings: LdapSettings,
  steps: Steps,
): { readonly client: Client; socket(): Socket | undefined } {
  const { connectTimeout, readTimeout: timeout } = settings
  const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host
  let socket: Socket | undefined
  const connect = <T extends Socket>(open: () => T): T => {
    if (socket) throw closed(nameOf(server))
    const opened = open()
    const secured = server.secure ? ({ next: 'TLS', afterTls: 'bind' } as const) : undefined
    followSocket(
      opened,
      { ...server, ...(secured ?? { next: settings.securing.startTls ? 'TLS' : 'bind' }) },
      steps,
    )
    socket = opened
    return opened
  }
  const client = new Client({
    url: `${server.secure ? 'ldaps' : 'ldap'}://${host}:${server.port}`,
    timeout,
    connectTimeout,
    createConnection: () =>
      connect(() =>
        server.path === undefined
          ? connectPlain({ port: server.port, host: server.host, keepAlive: true, noDelay: true })
          : connectPlain({ path: server.path }),
      ),
    // StartTLS gives options with the connection to secure, and nothing else does.
    createSecureConnection: (first: ConnectionOptions | number) => {
      if (typeof first === 'number')
        return connect(() =>
          connectSecure({ port: server.port, host: server.host, ...tlsOptions(server, settings) }),
        )
      const secured = connectSecure(first)
      secured.once('secureConnect', () => steps.enter('bind'))
      socket = secured
      return secured
    },
  })
  return { client, socket: () => socket }
}

function identityIn(bind: Bind): string {
  if (bind.kind === 'simple') return `as ${bind.dn}`
  return bind.kind === 'external' ? 'as its certificate or its process says' : 'anonymously'
}

function closed(server: string): ConnectorError {
  return new ConnectorError('connection', `${server}: the connection is closed`)
}

/** Certificates are always checked. */
function tlsOptions({ host }: Server, { securing }: LdapSettings): ConnectionOptions {
  const { authorities, identity } = securing
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(authorities !== undefined && { ca: authorities }),
    ...(identity && {
      cert: identity.certificate,
      key: identity.key,
      ...(identity.password && { passphrase: identity.password.reveal() }),
    }),
  }
}

/** Those that the DNS names come first. */
async function serversNow(settings: LdapSettings): Promise<readonly Server[]> {
  const { domain, servers, securing, connectTimeout } = settings
  if (domain === undefined) return servers
  const found = await serversOfDomain(domain, securing.secure, systemResolver(connectTimeout))
  return [...found, ...servers.slice(1)]
}
