import { connect as connectPlain, isIP } from 'node:net'
import { type ConnectionOptions, connect as connectSecure } from 'node:tls'
import { Client, type Entry, type Filter, type SearchOptions } from 'ldapts'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import type { Secret } from '../kit/values.ts'
import { ldapError, resultCode } from './errors.ts'
import type { LdapSettings, Server } from './settings.ts'

/** One connection to one server, bound once. It never reconnects: a new connection would be anonymous. */
export class Connection {
  readonly server: string
  readonly #client: Client

  private constructor(client: Client, { host, port }: Server) {
    this.#client = client
    this.server = `${host}:${port}`
  }

  /** To the first of the servers that can be reached; whoever answers with an error is not passed over. */
  static async open(settings: LdapSettings, signal?: AbortSignal): Promise<Connection> {
    const failures: unknown[] = []
    for (const server of settings.servers) {
      const connection = new Connection(clientOf(server, settings), server)
      try {
        await connection.#begin(server, settings, signal)
        return connection
      } catch (error) {
        await connection.close()
        signal?.throwIfAborted()
        if (!isUnreachable(error)) throw error
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
    if (settings.startTls && !server.secure)
      await this.#call((client) => client.startTLS(tlsOptions(server, settings)), signal)
    const { account } = settings
    await this.#call((client) => client.bind(account?.dn ?? '', account?.password.reveal() ?? ''), signal)
  }

  /** Logs in as another account; for connections of their own. */
  async bind(dn: string, password: Secret, signal?: AbortSignal): Promise<void> {
    await this.run((client) => client.bind(dn, password.reveal()), signal)
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
    try {
      const options: SearchOptions = {
        scope: 'base',
        attributes: [...attributes],
        explicitBufferAttributes: [...binary],
      }
      return (await this.run((client) => client.search(name, options), signal)).searchEntries[0]
    } catch (error) {
      if (resultCode(error) === 32) return undefined
      throw error
    }
  }

  /** Pages of the entries below a base; `pageSize` absent: one page, where the server has no paging. */
  async *search(base: string, question: Question, signal?: AbortSignal): AsyncGenerator<FoundPage> {
    const { filter, attributes, binary, pageSize } = question
    const options: SearchOptions = {
      scope: 'sub',
      filter,
      attributes: [...attributes],
      explicitBufferAttributes: [...binary],
    }
    if (pageSize === undefined) {
      const { searchEntries, searchReferences } = await this.run(
        (client) => client.search(base, options),
        signal,
      )
      yield { entries: searchEntries, references: searchReferences }
      return
    }
    const pages = this.#client.searchPaginated(base, { ...options, paged: { pageSize } })
    const ask = () => this.run(() => pages.next(), signal)
    let coming = ask()
    for (;;) {
      const next = await coming
      if (next.done) return
      // The server works on the next page while this one is used.
      coming = ask()
      coming.catch(() => undefined)
      yield { entries: next.value.searchEntries, references: next.value.searchReferences }
    }
  }

  /** Calls the client, and gives its errors their kinds. Aborting closes the connection: the answer may still be under way. */
  async run<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (!this.isUsable) throw new ConnectorError('connection', `${this.server}: the connection is closed`)
    return this.#call(work, signal)
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

export interface Question {
  readonly filter: Filter
  readonly attributes: readonly string[]
  readonly binary: readonly string[]
  readonly pageSize: number | undefined
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

function clientOf(server: Server, settings: LdapSettings): Client {
  const { connectTimeout, readTimeout: timeout } = settings
  const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host
  let isFirst = true
  const once = () => {
    if (!isFirst)
      throw new ConnectorError('connection', `${server.host}:${server.port}: the connection is closed`)
    isFirst = false
  }
  return new Client({
    url: `${server.secure ? 'ldaps' : 'ldap'}://${host}:${server.port}`,
    timeout,
    connectTimeout,
    createConnection: () => {
      once()
      return connectPlain({ port: server.port, host: server.host, keepAlive: true, noDelay: true })
    },
    ...(server.secure && {
      createSecureConnection: () => {
        once()
        return connectSecure({ port: server.port, host: server.host, ...tlsOptions(server, settings) })
      },
    }),
  })
}

/** Certificates are always checked. */
function tlsOptions({ host }: Server, { authorities }: LdapSettings): ConnectionOptions {
  return {
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(authorities !== undefined && { ca: authorities }),
  }
}
