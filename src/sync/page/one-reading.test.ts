import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ManagedType } from '../../objects/type/type.ts'
import { script } from '../../testing/script.ts'
import { implicitSync } from '../changes/implicit/implicit-sync.ts'
import { explain } from '../single/explain.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'

/** An object is the same whatever reads it (platform §6.2): a run, a plan, one id, an explanation, a change. */
const status = {
  ...{ type: 'string', isVirtual: true, returnByDefault: true },
  onRetrieve: script("object.endDate && object.endDate < '2026' ? 'inactive' : 'active'"),
}
const text = { type: 'string' }
const types = (person: JsonObject, user: JsonObject = {}): readonly ManagedType[] => [
  { name: 'person', ...person },
  { name: 'user', ...user },
]
const computing = {
  'a property with onRetrieve': { schema: { properties: { cn: text, status } } },
  'onRetrieve of the object': {
    onRetrieve: script("object.status = object.endDate && object.endDate < '2026' ? 'inactive' : 'active'"),
  },
  'onRead of the object': {
    onRead: script("object['status'] = object.endDate < '2026' ? 'inactive' : 'active'"),
  },
}
const properties = [
  { source: 'cn', target: 'cn' },
  { source: 'status', target: 'note' },
]
const people = [
  { _id: 'p1', cn: 'Ann' },
  { _id: 'p2', cn: 'Bob', endDate: '2020-01-01' },
]

async function explained(world: World, sourceId: string) {
  const { decisions } = await explain(world.singles, { mapping: world.mapping.name, sourceId }, administrator)
  const [decision] = decisions as JsonObject[]
  return `${decision?.situation} ${decision?.action}`
}

async function notified(world: World, id: string, oldValue: JsonObject | null = null, cn?: string) {
  const person = people.find(({ _id }) => _id === id) ?? null
  const newValue = person && cn ? { ...person, cn } : person
  const notify = implicitSync({ ...world.singles, mappings: () => [world.mapping] })
  const { results } = await notify(
    { action: 'notifyUpdate', container: source, id, oldValue, newValue },
    administrator,
  )
  return results.map(({ situation, action, result }) => `${situation} ${action} ${result}`).join()
}

describe.each(Object.entries(computing))('sources with %s', (_what, person) => {
  it.each<[string, JsonObject]>([
    ['a filter', { sourceCondition: '/source/status eq "active"' }],
    ['a script', { validSource: script("source.status === 'active'") }],
  ])('qualify by %s alike', async (_how, condition) => {
    const mapping = { properties, policies: [{ situation: 'UNQUALIFIED', action: 'DELETE' }], ...condition }
    await using world = await openWorld({ types: types(person), mapping })
    await world.persons(...people)
    const wanted = ['source p1: ABSENT CREATE', 'source p2: SOURCE_IGNORED REPORT']
    expect((await world.run({ analyze: true })).situations).toEqual(wanted)
    expect(await explained(world, 'p1')).toBe('ABSENT CREATE')
    expect(await explained(world, 'p2')).toBe('SOURCE_IGNORED REPORT')
    expect(await notified(world, 'p1')).toBe('ABSENT CREATE SUCCESSFUL')
    expect(await notified(world, 'p2')).toMatch(/^SOURCE_IGNORED/)
    expect(Object.values(await world.all(target))).toMatchObject([{ cn: 'Ann', note: 'active' }])
    for (const request of [{ sourceId: 'p1' }, {}]) {
      await world.run(request)
      expect(world.writes).toEqual([])
    }
  })

  it('are mapped alike, and have their computed values where only some fields are read', async () => {
    await using world = await openWorld({
      types: types(person),
      mapping: { properties, defaultSourceFields: ['status'] },
    })
    await world.persons(...people)
    await world.run()
    const notes = Object.values(await world.all(target)).map(({ note }) => note)
    expect(notes.toSorted()).toEqual(['active', 'inactive'])
    await world.run()
    expect(world.writes).toEqual([])
  })
})

describe('a source whose script fails', () => {
  const failing = {
    schema: {
      properties: {
        status: { ...status, onRetrieve: script("if (object.cn === 'Bob') throw 'no entry'; 'active'") },
      },
    },
  }

  it('fails alone, and keeps its target and its link', async () => {
    const policies = [
      { situation: 'SOURCE_MISSING', action: 'DELETE' },
      { situation: 'UNQUALIFIED', action: 'DELETE' },
    ]
    await using world = await openWorld({ types: types(failing), mapping: { properties, policies } })
    await world.persons(...people)
    await world.users({ _id: 'u2', cn: 'Bob', note: 'as it was' })
    await world.link('p2', 'u2')
    const { run } = await world.run()
    expect(run.statistics.status).toEqual({ SUCCESS: 1, FAILURE: 1 })
    expect(await world.all(target)).toMatchObject({ u2: { note: 'as it was' } })
    expect(await world.links()).toHaveLength(2)
    const [failed] = (await world.audit(run.id)).filter(({ status: outcome }) => outcome === 'FAILURE')
    expect(failed?.message).toMatch(/managed\/person\/p2 cannot be read: .*no entry/)
    expect(await notified(world, 'p2')).toMatch(/FAILED$/)
    expect(await notified(world, 'p1')).toBe('CONFIRMED UPDATE SUCCESSFUL')
  })
})

describe('targets with computed values', () => {
  const key = { type: 'string', isVirtual: true, onRetrieve: script('object.cn.toLowerCase()') }
  const user = { schema: { properties: { cn: text, key } } }
  const mapping = {
    properties: [{ source: 'cn', target: 'cn' }],
    correlationQuery: { type: 'text/javascript', source: "({_queryFilter: 'key eq \"' + source.cn + '\"'})" },
  }

  it.each([
    ['a run', {}],
    ['one object', { sourceId: 'p1' }],
  ])('are found by them in %s', async (_what, request) => {
    await using world = await openWorld({ types: types({}, user), mapping })
    await world.persons({ _id: 'p1', cn: 'ann' })
    await world.users({ _id: 'u1', cn: 'ANN' }, { _id: 'u2', cn: 'BOB' })
    expect(await explained(world, 'p1')).toBe('FOUND UPDATE')
    expect((await world.run({ ...request, analyze: true })).situations[0]).toBe('source p1: FOUND UPDATE')
  })

  it('are found by them when a change is synchronized', async () => {
    await using world = await openWorld({ types: types({}, user), mapping })
    await world.persons({ _id: 'p1', cn: 'ann' })
    await world.users({ _id: 'u1', cn: 'ANN' })
    expect(await notified(world, 'p1', null, 'ann')).toBe('FOUND UPDATE SUCCESSFUL')
  })
})

describe('the old value of a change', () => {
  const mapping = {
    properties,
    onUpdate: script("target.note = oldSource.status + ' → ' + source.status"),
  }

  it('has computed values, too; what was stored of one is how it was', async () => {
    const person = computing['a property with onRetrieve']
    await using world = await openWorld({ types: types(person), mapping })
    await world.persons(...people)
    await world.run()
    const note = async () => Object.values(await world.all(target)).map((user) => `${user.cn} ${user.note}`)
    await notified(world, 'p2', { cn: 'Bob', title: 'x' })
    expect(await note()).toContain('Bob active → inactive')
    await notified(world, 'p2', { cn: 'Bob', title: 'x', status: 'suspended' })
    expect(await note()).toContain('Bob suspended → inactive')
  })
})
