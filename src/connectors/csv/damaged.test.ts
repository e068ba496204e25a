import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { isUnreadable, requireReadable } from '../../model/unreadable.ts'
import type { SearchEnd } from '../kit/query.ts'
import type { CsvConnector } from './csv-connector.ts'
import { temporaryCsv } from './testing/temporary.ts'

/** Files with errors: what of them is read, what is known of the rest, and what is never taken for gone. */

const objectClass = '__ACCOUNT__'
const latin1 = (text: string) => Buffer.from(text, 'latin1')

async function read(connector: CsvConnector, pageSize = 500) {
  const search = connector.search({ objectClass, filter: everything, pageSize })
  const ids: string[] = []
  const errors: Record<string, string> = {}
  let next = await search.next()
  for (; !next.done; next = await search.next()) {
    for (const entry of next.value) {
      if (isUnreadable(entry)) errors[entry._id] = entry.problem.message.replace(/^.*\/people/, 'people')
      else ids.push(entry._id)
    }
  }
  return { ids: ids.join(), errors, listing: shown(next.value) }
}

function shown(listing: SearchEnd): string {
  if (!listing || listing.state === 'complete') return 'complete'
  return `${listing.state}: ${listing.reason.replace(/^.*\/people/, 'people')}`
}

describe('a row with an error is an error of its own', () => {
  it.each<
    [
      what: string,
      content: string | Uint8Array,
      ids: string,
      errors: Record<string, string>,
      listing: string,
      configuration?: JsonObject,
    ]
  >([
    [
      'text after a closing quote',
      'uid,a\n1,"x"y\n2,"z"\n',
      '2',
      { 1: 'people.csv, line 2: after a closing quote stands "y" instead of ","' },
      'complete',
    ],
    [
      'bytes that are not UTF-8',
      latin1('uid,a\n1,x\n2,Zo\xeb\n3,z\n'),
      '1,3',
      { 2: 'people.csv, line 3: bytes that are not utf-8; save the file so, or configure its encoding' },
      'complete',
    ],
    [
      'a character that is broken off',
      Buffer.concat([Buffer.from('uid,a\n0,é\n1,'), Buffer.of(0xc3)]),
      '0',
      { 1: 'people.csv, line 3: bytes that are not utf-8; save the file so, or configure its encoding' },
      'complete',
    ],
    [
      'too few fields: another value may stand in the column of the id',
      'uid,a,b\n1,x,y\n2,x\n3,z,y\n',
      '1,3',
      { 2: 'people.csv, line 3: the row has 2 fields, the header has 3' },
      'suspect: people.csv, line 3: the row has 2 fields, the header has 3',
    ],
    [
      'too many fields',
      'uid,a\n1,"x\ny"\n2,y,z\n3,z\n',
      '1,3',
      { 2: 'people.csv, line 4: the row has 3 fields, the header has 2' },
      'suspect: people.csv, line 4: the row has 3 fields, the header has 2',
    ],
    [
      'the id of another row: neither of them is read',
      'uid,a\n1,x\n2,y\n1,z\n3,w\n3,v\n4,u\n',
      '2,4',
      {
        1: 'people.csv, line 4: the id "1" is also that of the row in line 2',
        3: 'people.csv, line 6: the id "3" is also that of the row in line 5',
      },
      'suspect: people.csv, line 4: the id "1" is also that of the row in line 2, and 1 more like this',
    ],
    [
      'the id of a row that has an error itself',
      'uid,a\n1,"x"y\n1,z\n2,w\n',
      '2',
      { 1: 'people.csv, line 3: the id "1" is also that of the row in line 2' },
      'suspect: people.csv, line 3: the id "1" is also that of the row in line 2',
    ],
    [
      'no id',
      'uid,a\n1,x\n ,y\n3,z\n',
      '1,3',
      {},
      'partial: people.csv, line 3: the column uid is empty; it holds the id of the row',
    ],
    [
      'an id that cannot be decoded',
      latin1('uid,a\nZo\xeb,x\n2,y\n'),
      '2',
      {},
      'partial: people.csv, line 2: bytes that are not utf-8; save the file so, or configure its encoding',
    ],
    [
      'a quote that is never closed: the rest of the file is not read',
      'uid,a\n1,x\n2,"y\n3,z\n',
      '1',
      {},
      'partial: people.csv, line 3: a quote is opened here and never closed; the rest of the file was not read',
    ],
    [
      'a quote that is closed lines later by another',
      'uid,a\n1,x\n2,"y\n3,"z"\n4,w\n',
      '1',
      {},
      'partial: people.csv, line 4: after a closing quote stands "z" instead of ","; the rest of the file was not read',
    ],
    [
      'an end in the middle of its id',
      'uid,a\n1,x\n2',
      '1',
      { 2: 'people.csv, line 3: the row has 1 fields, the header has 2' },
      'suspect: people.csv, line 3: the row has 1 fields, the header has 2',
    ],
    [
      'the id in another column',
      latin1('a,uid\nZo\xeb,1\ny,2\n'),
      '2',
      { 1: 'people.csv, line 2: bytes that are not utf-8; save the file so, or configure its encoding' },
      'complete',
    ],
  ])('%s', async (_, content, ids, errors, listing, configuration) => {
    await using csv = await temporaryCsv(content)
    await using connector = csv.connect(configuration)
    expect(await read(connector)).toEqual({ ids, errors, listing })
    expect(await read(connector, 1)).toEqual({ ids, errors, listing })
    await expect(connector.test()).rejects.toMatchObject({ code: 'UNREADABLE' })
  })

  it('of nothing but delimiters is no row', async () => {
    await using csv = await temporaryCsv('uid,a,b\n,,\n1,x,y\n , ,\n"","",""\n,\n,,,,\n2,z,w\n')
    await using connector = csv.connect()
    expect(await read(connector)).toEqual({ ids: '1,2', errors: {}, listing: 'complete' })
    await connector.test()
  })

  it('is found by its id, in its page, and counted', async () => {
    await using csv = await temporaryCsv('uid,a\n3,z\n1,"x"y\n2,w\n')
    await using connector = csv.connect()
    const found = await connector.readMany(objectClass, ['1', '2', 'nobody'])
    expect([...found.keys()]).toEqual(['1', '2'])
    expect([isUnreadable(found.get('1')), isUnreadable(found.get('2'))]).toEqual([true, false])
    const page = { objectClass, filter: everything, pageSize: 2, sortKeys: [], offset: 0, total: true }
    const { objects, total } = await connector.page(page)
    expect([objects.map(({ _id }) => _id), total]).toEqual([['1', '2'], 3])
    expect(await connector.count(objectClass)).toBe(3)
  })
})

describe('an id that is not found where some ids cannot be read', () => {
  it('is unreadable, not absent', async () => {
    await using csv = await temporaryCsv('uid,a\n1,x\n,y\n')
    await using connector = csv.connect()
    const found = await connector.readMany(objectClass, ['1', '2'])
    expect([...found].map(([id, entry]) => [id, isUnreadable(entry)])).toEqual([
      ['1', false],
      ['2', true],
    ])
  })
})

describe('writing to a file with errors', () => {
  const written = async (
    content: string | Uint8Array,
    ...writes: Parameters<CsvConnector['writeMany']>[1]
  ) => {
    await using csv = await temporaryCsv(content)
    await using connector = csv.connect()
    const outcomes = await connector.writeMany(objectClass, writes)
    return { ok: outcomes.map(({ ok }) => ok), text: await csv.text() }
  }
  const create = (uid: string) => ({ operation: 'create', attributes: { uid, a: 'new' } }) as const
  const update = (id: string) =>
    ({ operation: 'update', id, changes: [{ attribute: 'a', kind: 'set', value: 'new' }] }) as const

  it('leaves the rows with errors as they are, and never creates them a second time', async () => {
    const writes = [
      create('1'),
      update('1'),
      { operation: 'delete', id: '1' } as const,
      update('2'),
      create('3'),
    ]
    expect(await written('uid,a\n1,"x"y\n,z\n2,w\n', ...writes)).toEqual({
      ok: [false, false, false, true, true],
      text: 'uid,a\n1,"x"y\n,z\n"2","new"\n"3","new"\n',
    })
  })

  it('leaves bytes of another encoding as they are', async () => {
    const content = latin1('uid,a\n1,Zo\xeb\n2,w\n')
    await using csv = await temporaryCsv(content)
    await using connector = csv.connect()
    expect(await connector.writeMany(objectClass, [update('2')])).toMatchObject([{ ok: true }])
    expect(await connector.writeMany(objectClass, [create('3')])).toMatchObject([{ ok: true }])
    const { readFile } = await import('node:fs/promises')
    expect(await readFile(csv.file, 'latin1')).toBe('uid,a\n1,Zo\xeb\n"2","new"\n"3","new"\n')
  })

  it('is refused where nobody knows how it goes on', async () => {
    await expect(written('uid,a\n1,x\n2,"y\n', update('1'))).rejects.toMatchObject({ code: 'UNREADABLE' })
  })
})

describe('the changes of a file with errors', () => {
  const changes = async (before: string, now: string) => {
    await using csv = await temporaryCsv(before)
    await using connector = csv.connect()
    const token = await connector.latestToken(objectClass)
    await csv.put(now)
    const search = connector.changesSince(objectClass, token)
    const told: string[] = []
    let next = await search.next()
    let last = token
    for (; !next.done; next = await search.next()) {
      last = next.value.token ?? last
      for (const change of next.value.changes)
        told.push(
          `${change.kind} ${change.id}${change.kind !== 'DELETE' && isUnreadable(change.object) ? '?' : ''}`,
        )
    }
    return { told, listing: shown(next.value), moved: last !== token }
  }

  it('name what became unreadable, and go on', async () => {
    const found = await changes('uid,a\n1,x\n2,y\n3,z\n', 'uid,a\n1,"x"y\n2,w\n')
    expect(found).toEqual({ told: ['DELETE 3', 'UPDATE 2', 'UPDATE 1?'], listing: 'complete', moved: true })
  })

  it('do not repeat an error that was there before', async () => {
    const found = await changes('uid,a\n1,"x"y\n2,y\n', 'uid,a\n1,"x"y\n2,w\n')
    expect(found).toEqual({ told: ['UPDATE 2'], listing: 'complete', moved: true })
  })

  it.each([
    ['an id is missing', 'uid,a\n1,x\n,y\n'],
    ['the rest was not read', 'uid,a\n1,x\n9,"\n2,y\n3,z\n'],
  ])('have no deletions and no new token where %s', async (_, now) => {
    const { told, listing, moved } = await changes('uid,a\n1,x\n2,y\n3,z\n', now)
    expect(told).toEqual([])
    expect(listing).toMatch(/^partial: /)
    expect(moved).toBe(false)
  })
})

describe('an error of a value', () => {
  it('has the line and the column of its cell', async () => {
    await using csv = await temporaryCsv('uid,a\r\n\r\n1,"x\r\ny"\r\n2,z\r\n')
    await using connector = csv.connect()
    expect(
      (await connector.readMany(objectClass, ['2'])).values().map(requireReadable).toArray(),
    ).toHaveLength(1)
    const asked = [
      { id: '1', attribute: 'a' },
      { id: '2', attribute: undefined },
      { id: 'nobody', attribute: 'a' },
    ]
    const places = await connector.locate(objectClass, asked)
    expect(
      [...places].map(([id, { text, detail }]) => [id, text.replace(/^.*\/people/, 'people'), detail]),
    ).toEqual([
      ['1', 'people.csv, line 3, column 2 (a)', { file: csv.file, line: 3, column: 2 }],
      ['2', 'people.csv, line 5', { file: csv.file, line: 5 }],
    ])
  })
})
