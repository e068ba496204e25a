import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { requireReadable } from '../../model/unreadable.ts'
import { runs } from '../../testing/runs.ts'
import { RowIndex } from '../files/row-index.ts'
import { type ConnectorWrite, settingOf } from '../kit/write.ts'
import type { CsvConnector } from './csv-connector.ts'
import { allIds, type Expected, files, pages, performPage, writeOf } from './testing/arbitrary-pages.ts'
import { objectsOf, temporaryCsv } from './testing/temporary.ts'

const account = '__ACCOUNT__'
const create = (attributes: JsonObject): ConnectorWrite => ({ operation: 'create', attributes })
const update = (id: string, attributes: JsonObject): ConnectorWrite => ({
  operation: 'update',
  id,
  changes: settingOf(attributes),
})
const remove = (id: string): ConnectorWrite => ({ operation: 'delete', id })

async function valuesOf(connector: CsvConnector, ids: readonly string[]) {
  const objects = await connector.readMany(account, ids)
  return new Map(
    Array.from(objects, ([id, object]) => [id, { uid: object._id, a: requireReadable(object).a }]),
  )
}

describe('a row, once the last row of the file has been deleted and others have come', () => {
  const beginning = async () => {
    const csv = await temporaryCsv('uid,a\nanna,1\nbert,2\n')
    const connector = csv.connect()
    for (const write of [remove('bert'), create({ uid: 'carl', a: '3' }), create({ uid: 'dora', a: '4' })])
      expect(await connector.writeMany(account, [write])).toMatchObject([{ ok: true }])
    return { csv, connector }
  }
  const start = 'uid,a\nanna,1\n'

  it('is read under its own id', async () => {
    const { csv, connector } = await beginning()
    await using _csv = csv
    await using _connector = connector
    expect(await valuesOf(connector, ['anna', 'bert', 'carl', 'dora'])).toEqual(
      new Map([
        ['anna', { uid: 'anna', a: '1' }],
        ['carl', { uid: 'carl', a: '3' }],
        ['dora', { uid: 'dora', a: '4' }],
      ]),
    )
  })

  it.each<[what: string, write: ConnectorWrite, after: string]>([
    ['is changed', update('carl', { a: 'boss' }), `${start}"carl","boss"\n"dora","4"\n`],
    ['gets another id', update('carl', { uid: 'karl' }), `${start}"karl","3"\n"dora","4"\n`],
    ['is deleted', remove('carl'), `${start}"dora","4"\n`],
    ['that came last is deleted', remove('dora'), `${start}"carl","3"\n`],
  ])('%s, and no other', async (_, write, after) => {
    const { csv, connector } = await beginning()
    await using _csv = csv
    await using _connector = connector
    expect(await connector.writeMany(account, [write])).toMatchObject([{ ok: true }])
    expect(await csv.text()).toBe(after)
  })
})

describe('any pages of writes', () => {
  it('leave what a plain map holds after the same writes, in the connector and in the file', async () => {
    await fc.assert(
      fc.asyncProperty(files, pages, async ({ content, rows }, someSteps) => {
        await using csv = await temporaryCsv(content)
        await using connector = csv.connect()
        const expected: Expected = new Map(rows)
        for (const steps of someSteps) {
          const writes = steps.map((step) => writeOf(step, expected))
          const outcomes = await connector.writeMany(account, writes)
          expect(outcomes.map(({ ok }) => ok)).toEqual(performPage(writes, expected))
          const found = await valuesOf(connector, allIds)
          expect(found).toEqual(
            new Map(Array.from(expected, ([uid, a]) => [uid, { uid, a: a || undefined }])),
          )
          expect(await connector.count(account)).toBe(expected.size)
        }
        await using other = csv.connect()
        const inFile = (await objectsOf(other)).map(({ _id, a }) => [_id, a ?? ''])
        expect(inFile).toEqual([...expected])
      }),
      runs(100),
    )
  })
})

describe('an index that leads to other rows', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** A connector whose index has not followed its last write: the rows stand elsewhere by the length of one. */
  const astray = async () => {
    const csv = await temporaryCsv('uid,a\nanna,1\nbert,2\ncarl,3\ndora,4\nemil,a longer one\n')
    const connector = csv.connect()
    const follow = vi.spyOn(RowIndex.prototype, 'follow').mockImplementation(() => undefined)
    await connector.writeMany(account, [remove('anna')])
    follow.mockRestore()
    return { csv, connector }
  }

  it('answers none of them: it is made anew from the file', async () => {
    const { csv, connector } = await astray()
    await using _csv = csv
    await using _connector = connector
    expect(await valuesOf(connector, ['carl', 'anna'])).toEqual(new Map([['carl', { uid: 'carl', a: '3' }]]))
    expect(await connector.count(account)).toBe(4)
  })

  it('changes and deletes none of them', async () => {
    const { csv, connector } = await astray()
    await using _csv = csv
    await using _connector = connector
    const writes = [update('bert', { a: 'x' }), remove('dora'), remove('anna'), create({ uid: 'fred' })]
    const outcomes = await connector.writeMany(account, writes)
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, false, true])
    expect(await csv.text()).toBe('uid,a\n"bert","x"\ncarl,3\nemil,a longer one\n"fred",""\n')
  })

  it('is noticed behind the end of the file and within a character', async () => {
    await using csv = await temporaryCsv('uid,a\nanna,1\nb,é\ncarl,3\n')
    await using connector = csv.connect()
    const follow = vi.spyOn(RowIndex.prototype, 'follow').mockImplementation(() => undefined)
    await connector.writeMany(account, [update('anna', { a: '123' })])
    follow.mockRestore()
    expect(await valuesOf(connector, ['b'])).toEqual(new Map([['b', { uid: 'b', a: 'é' }]]))
    vi.spyOn(RowIndex.prototype, 'follow').mockImplementation(() => undefined)
    await connector.writeMany(account, [remove('anna'), remove('b')])
    expect(await valuesOf(connector, ['carl', 'anna'])).toEqual(new Map([['carl', { uid: 'carl', a: '3' }]]))
  })
})

describe('a row that begins with a byte order mark', () => {
  it.each([
    ['at the beginning of a line', 'uid,a\n\uFEFF1,x\n2,y\n'],
    ['twice at the beginning of the file', '\uFEFF\uFEFFuid,a\n1,x\n2,y\n'],
  ])('%s stands where the index says', async (_, content) => {
    await using csv = await temporaryCsv(content)
    await using connector = csv.connect()
    expect(await connector.writeMany(account, [update('1', { a: 'z' })])).toMatchObject([{ ok: true }])
    expect(await csv.text()).toBe(content.replace(/\uFEFF?1,x/, '"1","z"'))
  })
})
