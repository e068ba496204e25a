import { describe, expect, it } from 'vitest'
import { readQuery } from '../../mapping/query.ts'
import { parted } from '../../model/unreadable.ts'
import type { ObjectSet, Resource } from '../../router/resources.ts'
import { oneAhead, type SourceRecord, sourcePages } from './sources.ts'

const full = (id: string) => ({ _id: id, a: 1, b: 2, c: 3 })

/** A set of full objects whose query answers with the given pages. */
function setOf(pages: readonly (readonly Resource[])[], reads: string[][] = []): ObjectSet {
  return {
    path: 'system/hr/account',
    async *pages() {
      yield* pages
    },
    async readMany(ids) {
      reads.push([...ids])
      return new Map(ids.filter((id) => id !== 'gone').map((id) => [id, full(id)]))
    },
    async writeMany() {
      return []
    },
    comparison: () => 'exact',
    idOf: () => undefined,
  }
}

async function read(set: ObjectSet, options: { fields?: string; fullEntry?: boolean } = {}) {
  const duplicates: string[] = []
  const records: SourceRecord[] = []
  const query = readQuery(
    options.fields ? { _queryFilter: 'true', _fields: options.fields } : undefined,
    set.path,
  )
  const pages = sourcePages({
    queried: set,
    set,
    query,
    fullEntry: options.fullEntry,
    pageSize: 2,
    signal: new AbortController().signal,
    onDuplicate: (id) => duplicates.push(id),
  })
  for await (const page of pages) records.push(...page)
  return { records, duplicates }
}

describe('a source query', () => {
  it('delivers whole objects as they are', async () => {
    const reads: string[][] = []
    const { records } = await read(setOf([[full('1')], [full('2')]], reads))
    expect(records).toEqual([
      { id: '1', object: full('1') },
      { id: '2', object: full('2') },
    ])
    expect(reads).toEqual([])
  })

  it('has entries of fewer than three properties read again, a page at a time; id and object stay together', async () => {
    const reads: string[][] = []
    const pages = [[{ _id: '1', a: 1 }, { ...full('2'), a: 'from the query' }, { _id: '3' }]]
    const { records } = await read(setOf(pages, reads), { fields: '_id,a' })
    expect(reads).toEqual([['1', '3']])
    expect(records.map(({ id, object }) => [id, parted(object).object?.a])).toEqual([
      ['1', 1],
      ['2', 'from the query'],
      ['3', 1],
    ])
  })

  it('takes short entries for whole where the mapping says so', async () => {
    const { records } = await read(setOf([[{ _id: '1', a: 1 }]]), { fields: '_id,a', fullEntry: true })
    expect(records).toEqual([{ id: '1', object: { _id: '1', a: 1 } }])
  })

  it('keeps the id of an object that vanished before it was read', async () => {
    const { records } = await read(setOf([[{ _id: 'gone' }]]), { fields: '_id' })
    expect(records).toEqual([{ id: 'gone', object: undefined }])
  })

  it('passes over an id that comes again, in the same page or later, and says so', async () => {
    const { records, duplicates } = await read(
      setOf([
        [full('1'), full('1')],
        [full('2'), full('1')],
      ]),
    )
    expect(records.map(({ id }) => id)).toEqual(['1', '2'])
    expect(duplicates).toEqual(['1', '1'])
  })
})

describe('reading one page ahead', () => {
  it('asks for the next page before the consumer is done with this one, and for no more', async () => {
    const asked: number[] = []
    async function* pages() {
      for (let page = 1; page <= 4; page++) {
        asked.push(page)
        yield page
      }
    }
    const seen: unknown[] = []
    for await (const page of oneAhead(pages())) seen.push([page, [...asked]])
    expect(seen).toEqual([
      [1, [1, 2]],
      [2, [1, 2, 3]],
      [3, [1, 2, 3, 4]],
      [4, [1, 2, 3, 4]],
    ])
  })

  it('hands a failure to the consumer when its turn comes, and closes what it reads when the consumer leaves', async () => {
    let closed = false
    async function* pages() {
      try {
        yield 1
        throw new Error('torn')
      } finally {
        closed = true
      }
    }
    const seen: number[] = []
    const consume = async () => {
      for await (const page of oneAhead(pages())) seen.push(page)
    }
    await expect(consume()).rejects.toThrow('torn')
    expect(seen).toEqual([1])
    for await (const _page of oneAhead(pages())) break
    expect(closed).toBe(true)
  })
})
