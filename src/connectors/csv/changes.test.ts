import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { requireReadable } from '../../model/unreadable.ts'
import { runs } from '../../testing/runs.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { temporaryCsv } from './testing/temporary.ts'

/** What has changed in a file since one last looked (platform §5.1). */
const account = '__ACCOUNT__'

async function open(more: JsonObject = {}) {
  const csv = await temporaryCsv()
  const connector = csv.connect({ headerUid: 'id', ...more })
  const pagesSince = (token: SyncToken | null) => Array.fromAsync(connector.changesSince(account, token))
  return {
    connector,
    folder: csv.folder,
    write: (rows: readonly (readonly [string, string])[], header = 'id,name') =>
      csv.put(`${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`),
    since: async (token: SyncToken | null) => told(await pagesSince(token)),
    pagesSince,
    latest: () => connector.latestToken(account),
    copies: () => readdirSync(csv.folder).filter((name) => name !== 'people.csv'),
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]()
      await csv[Symbol.asyncDispose]()
    },
  }
}

type Hr = Awaited<ReturnType<typeof open>>

type Told = ConnectorChange | { readonly kind: 'END'; readonly token: SyncToken | null }

/** The changes of all pages, and last the token of the last page. */
function told(pages: readonly ChangesPage[]): readonly Told[] {
  const last = pages.at(-1)
  return [
    ...pages.flatMap(({ changes }) => changes),
    ...(last ? [{ kind: 'END' as const, token: last.token }] : []),
  ]
}

function endOf(changes: readonly Told[]): SyncToken {
  const end = changes.at(-1)
  if (end?.kind !== 'END' || end.token === null) throw new Error('There is no token at the end')
  return end.token
}

const kinds = (changes: readonly Told[]) =>
  changes.map((change) => (change.kind === 'END' ? 'END' : `${change.kind} ${change.id}`))

describe('a copy that was not finished when its process ended', () => {
  it('is removed by the next process, and what others are copying is not', async () => {
    await using hr = await open()
    await hr.write([['a', 'Ann']])
    const left = `people.csv.1700000000000.${hostname()}-${2 ** 30}.part`
    const old = 'people.csv.1700000000001.part'
    const theirs = `people.csv.1700000000002.${hostname()}-${process.ppid}.part`
    const elsewhere = 'people.csv.1700000000003.another-host-1.part'
    for (const name of [left, old, theirs, elsewhere, 'people.csv.part'])
      writeFileSync(join(hr.folder, name), 'id,na')
    const long = new Date(Date.now() - 7_200_000)
    utimesSync(join(hr.folder, old), long, long)
    const token = await hr.latest()
    expect(hr.copies().toSorted()).toEqual(
      [`people.csv.${token?.position}`, theirs, elsewhere, 'people.csv.part'].toSorted(),
    )
  })
})

describe('a copy made after the clock was set back', () => {
  it('is the newest all the same, so its token stays good', async () => {
    await using hr = await open()
    await hr.write([['a', 'Ann']])
    const years = 10 * 365 * 86_400_000
    const future = Date.now() + years
    for (const more of [1, 2, 3]) writeFileSync(join(hr.folder, `people.csv.${future + more}`), 'id,name\n')
    const token = await hr.latest()
    await hr.write([['b', 'Bob']])
    const changes = await hr.since(token)
    expect(kinds(changes)).toEqual(['DELETE a', 'CREATE b', 'END'])
    expect(await hr.since(endOf(changes))).toEqual([])
  })
})

describe('the changes of a file', () => {
  it('are deletions first, then the rest in the order of the file, and last the new token', async () => {
    await using hr = await open()
    await hr.write([
      ['a', 'Ann'],
      ['b', 'Bob'],
      ['c', 'Cid'],
    ])
    const token = await hr.latest()
    await hr.write([
      ['d', 'Dan'],
      ['c', 'Cid'],
      ['a', 'Anna'],
    ])
    const changes = await hr.since(token)
    expect(kinds(changes)).toEqual(['DELETE b', 'CREATE d', 'UPDATE a', 'END'])
    expect(changes[1]).toMatchObject({ object: { _id: 'd', name: 'Dan' } })
    expect(await hr.since(endOf(changes))).toEqual([])
    for (const page of (await hr.pagesSince(token)).slice(0, -1)) expect(page.token).toEqual(token)
  })

  it('without a token are everything that there is', async () => {
    await using hr = await open()
    await hr.write([
      ['a', 'Ann'],
      ['b', 'Bob'],
    ])
    expect(kinds(await hr.since(null))).toEqual(['CREATE a', 'CREATE b', 'END'])
  })

  it('are none where only the order or the quoting differs', async () => {
    await using hr = await open()
    await hr.write([
      ['a', 'Ann'],
      ['b', 'Bob'],
    ])
    const token = await hr.latest()
    await hr.write([
      ['b', '"Bob"'],
      ['a', 'Ann'],
    ])
    expect(kinds(await hr.since(token))).toEqual(['END'])
  })

  it('that were not read to the end are reported again, and no file is left behind', async () => {
    await using hr = await open()
    await hr.write([['a', 'Ann']])
    const token = await hr.latest()
    await hr.write([
      ['a', 'Anna'],
      ['b', 'Bob'],
    ])
    for await (const _ of hr.connector.changesSince(account, token)) break
    expect(hr.copies()).toHaveLength(1)
    expect(kinds(await hr.since(token))).toEqual(['UPDATE a', 'CREATE b', 'END'])
  })

  it('include what Syncline itself has written', async () => {
    await using hr = await open()
    await hr.write([['a', 'Ann']])
    const token = await hr.latest()
    await hr.connector.writeMany(account, [
      { operation: 'create', id: 'b', attributes: { id: 'b', name: 'Bob' } },
    ])
    expect(kinds(await hr.since(token))).toEqual(['CREATE b', 'END'])
  })

  it.each<[string, (hr: Hr) => unknown, RegExp]>([
    [
      'the columns have changed',
      (hr) => hr.write([['a', 'x']], 'id,title'),
      /columns of .* have changed from id, name to id, title/,
    ],
    ['the copy is gone', () => {}, /is not there any more/],
    [
      'the copy was altered',
      (hr) => writeFileSync(join(hr.folder, hr.copies()[0] as string), 'id,name\nx,y\n'),
      /has been altered/,
    ],
  ])('cannot be read if %s', async (what, spoil, message) => {
    await using hr = await open()
    await hr.write([['a', 'Ann']])
    const token = await hr.latest()
    await hr.write([['a', 'Anna']])
    await spoil(hr)
    const asked = what.includes('gone') ? { ...token, position: 1000000000000 } : token
    await expect(hr.since(asked)).rejects.toMatchObject({
      ...{
        code: 'CONNECTOR_FAILED',
        message: expect.stringMatching(message),
        hint: expect.stringContaining('everything anew'),
      },
    })
  })

  it('keep no more copies than wanted', async () => {
    await using hr = await open({ syncFileRetentionCount: 3 })
    await hr.write([['a', '0']])
    let token = await hr.latest()
    for (let round = 1; round < 6; round++) {
      await hr.write([['a', String(round)]])
      token = endOf(await hr.since(token))
    }
    expect(hr.copies()).toHaveLength(3)
  })

  it('are reported again, from the same copy, until the later token is used', async () => {
    await using hr = await open({ syncFileRetentionCount: 2 })
    await hr.write([['a', '0']])
    const token = await hr.latest()
    for (let round = 1; round < 5; round++) {
      await hr.write([['a', String(round)]])
      expect(await hr.since(token)).toEqual(await hr.since(token))
    }
    expect(hr.copies()).toHaveLength(3)
    const again = await hr.since(token)
    expect(kinds(again)).toEqual(['UPDATE a', 'END'])
    expect(await hr.since(endOf(again))).toEqual([])
  })

  it('turn the old rows into the new ones, after any edit', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
    const rows = fc.uniqueArray(fc.tuple(id, fc.constantFrom('x', 'y', 'z')), { selector: ([one]) => one })
    await fc.assert(
      fc.asyncProperty(rows, rows, rows, async (first, second, third) => {
        await using hr = await open()
        await hr.write(first)
        let token = await hr.latest()
        const copy = new Map<string, unknown>(first)
        for (const next of [second, third]) {
          await hr.write(next)
          for (const change of await hr.since(token)) {
            if (change.kind === 'END') token = change.token ?? token
            else if (change.kind === 'DELETE') expect(copy.delete(change.id)).toBe(true)
            else {
              expect(copy.has(change.id)).toBe(change.kind === 'UPDATE')
              copy.set(change.id, requireReadable(change.object).name)
            }
          }
          expect(new Map([...copy].toSorted())).toEqual(new Map([...next].toSorted()))
        }
      }),
      runs(50),
    )
  })
})
