import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { SyncToken } from '../../kit/changes.ts'
import type { FoundPage } from '../connection.ts'
import type { LdapConnector } from '../ldap-connector.ts'
import { administrator, base, people, type Slapd, startSlapd } from '../testing/slapd.ts'
import { positionAfter, writesAfter } from './access-log.ts'

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd({ accessLog: true })
})

afterEach(() => slapd.empty())

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const added = (uid: string, under = people) =>
  `dn: uid=${uid},${under}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: x\n`
const renamed = (uid: string, to: string) =>
  `dn: uid=${uid},${people}\nchangetype: moddn\nnewrdn: uid=${uid}\ndeleteoldrdn: 1\nnewsuperior: ${to}\n`
const changed = (uid: string) => `dn: uid=${uid},${people}\nchangetype: modify\nreplace: sn\nsn: y\n`
const deleted = (uid: string) => `dn: uid=${uid},${people}\nchangetype: delete\n`

async function changes(connector: LdapConnector, token: SyncToken) {
  const pages = await Array.fromAsync(connector.changesSince('__ACCOUNT__', token))
  return {
    kinds: pages.flatMap((page) => page.changes.map(({ kind }) => kind)),
    token: pages.at(-1)?.token ?? token,
  }
}

describe('changes by the access log', () => {
  it('are one of each object, however often it was written, and a deletion of one that came and went', async () => {
    await using connector = slapd.connect()
    slapd.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    for (const ldif of [changed('a'), added('b'), changed('a'), added('c'), deleted('c'), deleted('a')])
      slapd.change(ldif)
    expect((await changes(connector, token)).kinds).toEqual(['CREATE', 'DELETE', 'DELETE'])
  })

  it('leave out what the accounts of modifiersNamesToFilterOut wrote: no write comes back as an echo', async () => {
    const own = administrator.toUpperCase().replace(',', ', ')
    await using connector = slapd.connect({ modifiersNamesToFilterOut: [own] })
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(added('a'))
    expect((await changes(connector, token)).kinds).toEqual([])
  })

  it('report an entry that left the base contexts as deleted, and one that came as there', async () => {
    await using connector = slapd.connect({ baseContexts: [people] })
    slapd.change(added('a'))
    slapd.change(added('b', `ou=groups,${base}`))
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(renamed('a', `ou=groups,${base}`))
    slapd.change(
      `dn: uid=b,ou=groups,${base}\nchangetype: moddn\nnewrdn: uid=b\ndeleteoldrdn: 1\nnewsuperior: ${people}\n`,
    )
    expect((await changes(connector, token)).kinds).toEqual(['DELETE', 'CREATE_OR_UPDATE'])
  })

  it('go on from the token of the last page over a restart of the server', async () => {
    await using connector = slapd.connect()
    const token = await connector.latestToken('__ACCOUNT__')
    slapd.change(added('a'))
    const first = await changes(connector, token)
    await slapd.stop()
    await slapd.start()
    slapd.change(changed('a'))
    const second = await changes(connector, first.token)
    expect([first.kinds, second.kinds]).toEqual([['CREATE'], ['CREATE_OR_UPDATE']])
    expect((await changes(connector, second.token)).kinds).toEqual([])
  })
})

describe('a log that does not reach back', () => {
  it('because it was purged is a stale token, and never silence; without a loss it is none', async () => {
    await using purged = await startSlapd({ accessLog: { purge: '00+00:00:01 00+00:00:01' } })
    await using connector = purged.connect()
    purged.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    const lost = async () =>
      changes(connector, token).then(
        ({ kinds }) => kinds,
        (error: unknown) => error,
      )
    purged.change(added('b'))
    expect(await lost()).toEqual(['CREATE'])
    await expect.poll(lost).toMatchObject({ kind: 'staleToken' })
    const latest = await connector.latestToken('__ACCOUNT__')
    expect((await changes(connector, latest)).kinds).toEqual([])
    purged.change(added('c'))
    expect((await changes(connector, latest)).kinds).toEqual(['CREATE'])
  })

  it('because it was begun anew is a stale token', async () => {
    await using connector = slapd.connect()
    slapd.change(added('a'))
    const token = await connector.latestToken('__ACCOUNT__')
    await slapd.stop()
    const log = join(slapd.folder, 'log')
    rmSync(log, { recursive: true })
    mkdirSync(log)
    await slapd.start()
    await expect(changes(connector, token)).rejects.toMatchObject({ kind: 'staleToken' })
    slapd.change(added('b'))
    await expect(changes(connector, token)).rejects.toMatchObject({ kind: 'staleToken' })
  })

  it('because there is none any more is a stale token, and changes are found in another way from then on', async () => {
    await using connector = slapd.connect()
    const token = await connector.latestToken('__ACCOUNT__')
    await using plain = await startSlapd()
    await using other = plain.connect()
    await expect(changes(other, token)).rejects.toMatchObject({ kind: 'staleToken' })
    expect((await other.latestToken('__ACCOUNT__')).epoch).toMatch(/^timestamps /)
  })

  it('because there is none is said with what to do, where it is asked for', async () => {
    await using plain = await startSlapd()
    await using connector = plain.connect({ syncStrategy: 'accessLog' })
    await expect(connector.latestToken('__ACCOUNT__')).rejects.toMatchObject({
      kind: 'unsupported',
      hint: expect.stringContaining('accesslog'),
    })
  })
})

describe('a write that appears late in the log', () => {
  const csn = (seconds: string) => `202601310805${seconds}.000000Z#000000#000#000000`
  const facts = { paged: true, server: 'ldap:389' }

  it('is found behind the position, and what was read there is not read twice', async () => {
    const there = ['10', '20', '30'].map(csn)
    const connection = {
      entry: async () => undefined,
      async *search(): AsyncGenerator<FoundPage> {
        const entries = there.map((one) => ({ dn: '', entryCSN: one, reqEntryUUID: one, reqType: 'modify' }))
        yield { entries, references: [] }
      },
    }
    const position = positionAfter({ csn: '', seen: [] }, [csn('10'), csn('30')])
    const log = { name: 'cn=accesslog', epoch: 'e', oldest: csn('10') }
    const writes = await writesAfter(connection, facts, log, position)
    expect(writes.map((write) => write.csn)).toEqual([csn('20')])
    expect(positionAfter(position, [csn('20')])).toEqual({ csn: csn('30'), seen: there })
  })

  it('is waited for so long and no longer: the token does not grow with the log', () => {
    const old = '20260131080000.000000Z#000000#000#000000'
    expect(positionAfter({ csn: old, seen: [old] }, [csn('10')])).toEqual({
      csn: csn('10'),
      seen: [csn('10')],
    })
  })
})
