import { ok } from 'node:assert/strict'
import type { JsonObject } from '../../../model/json.ts'
import { compareBy, type SortKey } from '../../../model/sort.ts'
import type { ConnectorObject } from '../query.ts'
import { type Bench, deleting, idsOf, type Laws, requireEqual, requireFailure } from './bench.ts'

export const paging: Laws = {
  async 'pages through everything, each object once, with no more than a page at a time'(bench) {
    const ids = await bench.create(1, 2, 3, 4, 5, 6, 7, 8)
    requireEqual((await paged(bench)).toSorted(), ids.toSorted(), 'objects of all pages')
    const last = await bench.page({ pageSize: 8 })
    requireEqual([last.objects.length, last.cookie], [8, null], 'a page with everything, and its cookie')
  },
  async 'pages on without loss or repetition while objects come and go'(bench) {
    const ids = await bench.create(1, 2, 3, 4, 5, 6, 7, 8)
    const first = await bench.page({})
    const shown = idsOf(first.objects)
    const later = ids.find((id) => !shown.includes(id))
    for (const id of [shown[0], shown.at(-1), later]) await bench.write(deleting(bench.given(id)))
    await bench.create(9)
    const seen = [...shown, ...(await paged(bench, { cookie: first.cookie }))]
    requireEqual(new Set(seen).size, seen.length, 'different objects of all pages')
    for (const id of ids.filter((one) => one !== later)) ok(seen.includes(id), `the pages leave out "${id}"`)
  },
  async 'says how many there are on all pages, where it says it'(bench) {
    await bench.create(1, 2, 3, 4, 5)
    const { total } = await bench.page({ pageSize: 2, total: true })
    ok(total === undefined || total === 5, `the total of 5 objects is ${total}`)
  },
  async 'leaves out as many objects as the offset says'(bench) {
    await bench.create(1, 2, 3, 4, 5)
    const all = await bench.page({ pageSize: 5 })
    const page = await bench.page({ pageSize: 2, offset: 2 })
    requireEqual(idsOf(page.objects), idsOf(all.objects).slice(2, 4), 'the page')
    requireEqual(page.cookie === null, false, 'that it is the last one')
  },
  async 'gives the orders that it claims'(bench) {
    const { objectClass, attribute, unique } = bench.facts
    const [, id = ''] = await bench.create(3, 1, 5, 2, 4)
    await bench.update(id, { [attribute]: null })
    for (const sortKeys of ordersOf([attribute, unique, '_id'])) {
      if (!bench.need('sorts').sorts(objectClass, sortKeys)) continue
      const compare = compareBy(sortKeys)
      const all = (await bench.search()).toSorted((a, b) => compare(textsOf(a), textsOf(b)))
      requireEqual(await paged(bench, { sortKeys }), idsOf(all), 'the order of all pages')
    }
  },
  async 'refuses a cookie that it did not give'(bench) {
    bench.need('page')
    await bench.create(1)
    await requireFailure(bench.page({ cookie: 'no cookie' }), 'unknownCookie', 'a page with such a cookie')
  },
}

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
    ids.push(...idsOf(page.objects))
    next = page.cookie
    ok(ids.length < 100, 'the pages have no end')
  } while (next !== null)
  return ids
}
