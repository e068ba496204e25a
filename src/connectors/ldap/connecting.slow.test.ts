import { copyFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { makeCertificates } from './testing/certificates.ts'
import { base, type Slapd, startSlapd } from './testing/slapd.ts'

/** Enough that no search is over before the server is stopped: one page is asked for ahead. */
const more = Array.from(
  { length: 5 },
  (_, n) => `dn: ou=unit${n},${base}\nobjectClass: organizationalUnit\nou: unit${n}\n`,
)
const units = 2 + more.length

let slapd: Slapd
let authority = ''

beforeAll(async () => {
  slapd = await startSlapd({
    entries: more.join('\n'),
    global: (folder) => {
      const files = makeCertificates(folder)
      authority = files.authority
      return [`olcTLSCertificateFile: ${files.certificate}`, `olcTLSCertificateKeyFile: ${files.key}`]
    },
  })
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const found = async (connector: LdapConnector) =>
  (await Array.fromAsync(connector.search({ objectClass: 'organizationalUnit', filter: everything }))).flat()
    .length

describe('a certificate', () => {
  it('is checked: one of an unknown authority is refused, and the message says what to do', async () => {
    await using connector = slapd.connect({ startTLS: true })
    await expect(connector.test()).rejects.toMatchObject({
      kind: 'connection',
      hint: expect.stringContaining('trustedCertificates'),
    })
  })

  it('is accepted where the configuration names its authority', async () => {
    await using connector = slapd.connect({ startTLS: true, trustedCertificates: authority })
    await connector.test()
    expect(await found(connector)).toBe(units)
  })

  it('of another host is refused', async () => {
    copyFileSync(authority, `${slapd.folder}/trusted.pem`)
    await using connector = slapd.connect({
      host: 'localhost',
      startTLS: true,
      trustedCertificates: 'trusted.pem',
    })
    await expect(connector.test()).rejects.toThrow(/localhost.*altnames/i)
  })
})

describe('a connection', () => {
  it('with a wrong password fails with the words of the server, and tells nobody the password', async () => {
    await using connector = slapd.connect({ credentials: 'not-the-password' })
    const failure: unknown = await connector.test().catch((error: unknown) => error)
    expect(failure).toMatchObject({
      kind: 'authentication',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ answers invalidCredentials \(49\)/),
    })
    expect(inspect(failure, { depth: 8 })).not.toContain('not-the-password')
  })

  it('goes to the next server of failover where the first cannot be reached', async () => {
    await using connector = slapd.connect({ port: 1, failover: [`ldap://127.0.0.1:${slapd.port}`] })
    expect(await found(connector)).toBe(units)
  })

  it('does not pass over a server that answers with an error', async () => {
    const failover = [`ldap://127.0.0.1:${slapd.port}`]
    await using connector = slapd.connect({ credentials: 'wrong', failover })
    await expect(connector.test()).rejects.toMatchObject({ kind: 'authentication' })
  })

  it('names every server that could not be reached', async () => {
    await using connector = slapd.connect({ port: 1, failover: ['ldap://127.0.0.1:2'] })
    await expect(connector.test()).rejects.toThrow(/127\.0\.0\.1:1.*127\.0\.0\.1:2/)
  })

  it('that broke is replaced by another that is bound, too: nobody reads as a stranger', async () => {
    await using connector = slapd.connect()
    expect(await found(connector)).toBe(units)
    await slapd.stop()
    await expect(found(connector)).rejects.toMatchObject({ kind: 'connection' })
    await slapd.start()
    expect(await found(connector)).toBe(units)
  })

  it('that breaks in the middle of a search ends it with an error, never as if that was all', async () => {
    await using connector = slapd.connect()
    const search = connector.search({ objectClass: 'organizationalUnit', filter: everything, pageSize: 1 })
    expect((await search.next()).done).toBe(false)
    await slapd.stop()
    const toTheEnd = async () => {
      while (!(await search.next()).done);
    }
    await expect(toTheEnd()).rejects.toMatchObject({ kind: 'connection' })
    await slapd.start()
  })

  it('reads the schema for all: who is aborted meanwhile is aborted alone', async () => {
    await using connector = slapd.connect()
    const abort = new AbortController()
    const first = connector.schema(abort.signal)
    const others = Promise.all([found(connector), found(connector)])
    setImmediate(() => abort.abort(new Error('enough')))
    await first.catch(() => undefined)
    expect(await others).toEqual([units, units])
  })

  it('that is aborted while the server has not answered yet ends at once', async () => {
    await using silent = await silentServer()
    await using connector = slapd.connect({ port: silent.port })
    const abort = new AbortController()
    const testing = connector.test(abort.signal)
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(testing).rejects.toThrow('enough')
  })

  it('to a server that does not answer ends with the time limit', async () => {
    await using silent = await silentServer()
    await using connector = slapd.connect({ port: silent.port, readTimeout: 50 })
    await expect(connector.test()).rejects.toMatchObject({ kind: 'timeout' })
  })
})

/** Accepts connections, and says nothing. */
async function silentServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: { destroy(): void }[] = []
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
