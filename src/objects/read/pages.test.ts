import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matches } from '../../model/filter/evaluate.ts'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { requireReadable } from '../../model/unreadable.ts'
import type { RequestContext, Resource, Resources } from '../../router/resources.ts'
import { runs } from '../../testing/runs.ts'
import { script } from '../../testing/script.ts'
import { openTypes } from '../testing/scripted-types.ts'
import type { ManagedType, PropertySchema } from '../type/type.ts'

/** What the engine reads in pages, beside what it reads by id. */
const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }

const computed = (source: string, more: JsonObject = {}): PropertySchema =>
  ({ type: 'string', isVirtual: true, onRetrieve: script(source), ...more }) as PropertySchema
const status = computed("object.endDate && object.endDate < '2026' ? 'inactive' : 'active'")

const kinds: Record<string, Omit<ManagedType, 'name'>> = {
  plain: {},
  'a computed property': { schema: { properties: { status } } },
  'one that follows another': {
    schema: { properties: { status, label: computed("object.cn + ', ' + object.status") } },
  },
  'one in a list': {
    schema: {
      properties: {
        cards: { type: 'array', items: { properties: { short: computed("'*' + object.cards.length") } } },
      },
    },
  },
  'onRetrieve of the object': { onRetrieve: script("object.status = object.cn + '!'") },
  'onRead of the object': { onRead: script("object['st' + 'atus'] = 'x'; delete object.cn") },
  all: {
    onRetrieve: script("object.cn = object.cn.toUpperCase(); object._id = 'another'"),
    schema: { properties: { status } },
    onRead: script('object.label = object.status + object.cn'),
    onQueryResult: script('false'),
  },
}
const people = [
  { _id: '1', cn: 'Ann', cards: [{ a: 1 }, {}] },
  { _id: '2', cn: 'Bob', endDate: '2020-01-01', cards: [] },
  { _id: '3', cn: 'Cem', endDate: '2030-01-01', status: 'stored' },
]

async function users(type: Omit<ManagedType, 'name'>) {
  const opened = await openTypes([{ ...type, name: 'user' }])
  for (const { _id, ...content } of people) await opened.resources.create('managed/user', _id, content, own)
  return opened
}

async function paged(
  resources: Resources,
  query: Partial<Parameters<ReturnType<Resources['objectSet']>['pages']>[0]> = {},
) {
  const found: Resource[] = []
  const asked = { filter: everything, pageSize: 2, ...query }
  for await (const page of resources.objectSet('managed/user').pages(asked))
    found.push(...page.map((entry) => requireReadable(entry)))
  return found.toSorted((a, b) => (a._id < b._id ? -1 : 1))
}

const byId = async (resources: Resources) => [
  ...(await resources.objectSet('managed/user').readMany(['1', '2', '3'])).values(),
]

describe.each(Object.entries(kinds))('a type with %s', (_what, type) => {
  it('has the same objects in pages as by their ids, and as they are read', async () => {
    await using opened = await users(type)
    const { resources } = opened
    const found = await paged(resources)
    expect(found).toEqual(await byId(resources))
    for (const object of found)
      expect(object).toEqual(await resources.read(`managed/user/${object._id}`, { ...own, whole: true }))
  })

  it('is queried by what is read', async () => {
    await using opened = await users(type)
    const { resources } = opened
    const all = await byId(resources)
    const pointer = fc.constantFrom('cn', 'status', 'label', 'endDate', '_id')
    const leaf = fc
      .tuple(
        pointer,
        fc.constantFrom('eq', 'co'),
        fc.constantFrom('1', 'Ann', 'active', 'inactive', 'x', 'A'),
      )
      .map(([name, operator, value]) => `${name} ${operator} "${value}"`)
    const filter = fc.letrec<{ any: string }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map((three) => `(${three.join(' ')})`),
        tie('any').map((one) => `!(${one})`),
      ),
    })).any
    await fc.assert(
      fc.asyncProperty(filter, async (text) => {
        const asked = parseFilter(text)
        expect(await paged(resources, { filter: asked })).toEqual(
          all.filter((one) => matches(asked, requireReadable(one))),
        )
      }),
      runs(25),
    )
  })
})

describe('what is computed', () => {
  const failing = { schema: { properties: { status: computed("throw 'no'"), cn: { type: 'string' } } } }

  it('costs nothing where it is not asked for', async () => {
    await using opened = await users(failing)
    expect(await paged(opened.resources, { fields: [['_id'], ['cn']] })).toMatchObject([
      { _id: '1', cn: 'Ann' },
      { _id: '2', cn: 'Bob' },
      { _id: '3', cn: 'Cem' },
    ])
    await expect(paged(opened.resources, { fields: [['status']] })).rejects.toThrow(/status.*no/)
  })

  it('is what its own script makes of a copy of the object', async () => {
    const properties = { a: computed("object.cn = 'spoilt'; 'a'"), b: computed('object.cn') }
    await using opened = await users({ schema: { properties } })
    expect(await paged(opened.resources, { filter: parseFilter('_id eq "1"') })).toMatchObject([
      { a: 'a', b: 'Ann', cn: 'Ann' },
    ])
  })
})
