import { ok } from 'node:assert/strict'
import type { JsonObject } from '../../../model/json.ts'
import { compareBy, type SortKey } from '../../../model/sort.ts'
import type { ConnectorObject } from '../query.ts'
import { type Bench, type Law, requireEqual, requireFailure } from './bench.ts'

export const paging: readonly Law[] = [
  [
    'pages through everything, each object once, with no more than a page at a time',
    async (bench) => {
      bench.need('page')
      const ids = await bench.create(1, 2, 3, 4, 5, 6, 7, 8)
      requireEqual((await paged(bench)).toSorted(), ids.toSorted(), 'objects of all pages')
      const last = await bench.page({ pageSize: 8 })
      requireEqual([last.objects.length, last.cookie], [8, null], 'a page with everything, and its cookie')
    },
  ],
  [
    'pages on without loss or repetition while objects come and go',
    async (bench) => {
      bench.need('page')
      const ids = await bench.create(1, 2, 3, 4, 5, 6, 7, 8)
      const first = await bench.page({})
      const [gone] = first.objects
      const later = ids.find((id) => !first.objects.some(({ _id }) => _id === id))
      for (const id of [bench.given(gone)._id, bench.given(first.objects.at(-1))._id, bench.given(later)])
        await bench.write({ operation: 'delete', id })
      await bench.create(9)
      const seen = [...first.objects.map(({ _id }) => _id), ...(await paged(bench, { cookie: first.cookie }))]
      requireEqual(new Set(seen).size, seen.length, 'different objects of all pages')
      for (const id of ids.filter((one) => one !== later))
        ok(seen.includes(id), `the pages leave out "${id}"`)
    },
  ],
  [
    'says how many there are on all pages, where it says it',
    async (bench) => {
      bench.need('page')
      await bench.create(1, 2, 3, 4, 5)
      const { total } = await bench.page({ pageSize: 2, total: true })
      ok(total === undefined || total === 5, `the total of 5 objects is ${total}`)
    },
  ],
  [
    'leaves out as many objects as the offset says',
    async (bench) => {
      bench.need('page')
      await bench.create(1, 2, 3, 4, 5)
      const all = (await bench.page({ pageSize: 5 })).objects.map(({ _id }) => _id)
      const page = await bench.page({ pageSize: 2, offset: 2 })
      requireEqual(
        page.objects.map(({ _id }) => _id),
        all.slice(2, 4),
        'the page',
      )
      requireEqual(page.cookie === null, false, 'that it is the last one')
    },
  ],
  [
    'gives the orders that it claims',
    async (bench) => {
      const { objectClass, attribute, unique } = bench.facts
      const ids = await bench.create(3, 1, 5, 2, 4)
      const id = bench.given(ids[1])
      await bench.write({ operation: 'update', id, changes: [{ attribute, kind: 'clear' }] })
      for (const sortKeys of ordersOf([attribute, unique, '_id'])) {
        if (!bench.need('sorts').sorts(objectClass, sortKeys)) continue
        const all = (await bench.search()).map(textsOf).sort(compareBy(sortKeys))
        requireEqual(
          await paged(bench, { sortKeys }),
          all.map(({ _id }) => _id),
          'the order of all pages',
        )
      }
    },
  ],
  [
    'refuses a cookie that it did not give',
    async (bench) => {
      bench.need('page')
      await bench.create(1)
      await requireFailure(bench.page({ cookie: 'no cookie' }), 'unknownCookie', 'a page with such a cookie')
    },
  ],
]

function ordersOf(names: readonly string[]): readonly (readonly SortKey[])[] {
  return names.flatMap((name) => [false, true].map((descending) => [{ pointer: [name], descending }]))
}

function textsOf(object: ConnectorObject): JsonObject {
  const texts: JsonObject = {}
  for (const [name, value] of Object.entries(object)) if (typeof value === 'string') texts[name] = value
  return texts
}

/** The ids of all pages from a cookie on. */
async function paged(
  bench: Bench,
  { cookie, sortKeys = [] }: { readonly cookie?: string | null; readonly sortKeys?: readonly SortKey[] } = {},
): Promise<readonly string[]> {
  const ids: string[] = []
  let next = cookie
  do {
    const page = await bench.page({ sortKeys, ...(typeof next === 'string' && { cookie: next }) })
    ok(page.objects.length <= 3, `a page has ${page.objects.length} objects; 3 were asked for`)
    ids.push(...page.objects.map(({ _id }) => _id))
    next = page.cookie
    ok(ids.length < 100, 'the pages have no end')
  } while (next !== null)
  return ids
}
