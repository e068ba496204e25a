import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { Target } from '../../model/reference.ts'
import type { ObjectWrite } from '../../repository/objects.ts'
import type { Repository } from '../../repository/repository.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { noting } from '../testing/noting.ts'
import type { CompiledType, Relations } from '../type/compile.ts'
import { compileType, plainParts } from '../type/compile.ts'
import { isUnchanged, writeRelated } from './apply.ts'
import { relationshipModel } from './model.ts'

const relation = (path: string, reverse: string, more: JsonObject = {}): JsonObject => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse, validate: true },
  ...{ resourceCollection: [{ path }], ...more },
})
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        properties: {
          name: { type: 'string' },
          desk: relation('managed/desk', 'owner'),
          groups: { type: 'array', items: relation('managed/group', 'people') },
          groupNames: {
            ...{ type: 'array', isVirtual: true },
            queryConfig: {
              ...{ referencedRelationshipFields: ['groups'], referencedObjectFields: ['name'] },
              flattenProperties: true,
            },
          },
        },
      },
    },
    {
      name: 'desk',
      schema: { properties: { owner: relation('managed/user', 'desk', { notifySelf: true }) } },
    },
    {
      name: 'group',
      schema: {
        properties: {
          name: { type: 'string' },
          people: { type: 'array', items: relation('managed/user', 'groups') },
        },
      },
    },
  ],
})

let store: TemporaryStore
let repository: Repository
let calls: string[]
beforeEach(async () => {
  store = await temporaryStore()
  calls = []
  repository = noting(store.repository, calls)
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

function relationsOf(name: string): Relations {
  const model = relationshipModel(types)
  const type = model?.types.get(`managed/${name}`)
  if (!model || !type) throw new Error(`there is no managed/${name}`)
  const services = {
    ...{ now: Date.now, outside: async ({ id }: Target) => ({ _id: id }) },
    recomputation: { recompute: async () => {}, refresh: async () => {}, expect: () => {} },
    typeOf: (collection: string): CompiledType | undefined => {
      const found = types.find((one) => `managed/${one.name}` === collection)
      return found && compileType(found, true, plainParts)
    },
  }
  return { model, type, services }
}

const write = (name: string, ...writes: ObjectWrite[]) =>
  repository.transaction((store) =>
    writeRelated(
      { store, relations: relationsOf(name), isSynchronized: () => true, whole: true },
      writes.map((one) => ({ write: one })),
    ),
  )
const create = (id: string, content: JsonObject = {}): ObjectWrite => ({ operation: 'create', id, content })
const update = (id: string, content: JsonObject = {}): ObjectWrite => ({ operation: 'update', id, content })
const ref = (path: string): JsonObject => ({ _ref: `managed/${path}` })
const stored = async (path: string, id: string) => (await repository.objects.read(path, [id])).get(id)
const owners = async (desk: string) =>
  [...(await repository.relationships.of('managed/desk', [desk])).values()]
    .flat()
    .map(({ other }) => other.id)

describe('a plan is performed in the store', () => {
  beforeEach(async () => {
    await write('desk', create('d1'), create('d2'))
    await write('group', create('red', { name: 'Red' }), create('blue', { name: 'Blue' }))
  })

  it('relationships first, then what is collected along them, then the objects', async () => {
    const page = await write(
      'user',
      create('ann', { name: 'Ann', groups: [ref('group/red')], desk: ref('desk/d1') }),
    )
    expect(await stored('managed/user', 'ann')).toMatchObject({ name: 'Ann', groupNames: ['Red'] })
    expect(await stored('managed/user', 'ann')).not.toHaveProperty('groups')
    expect(page.outcomes[0]?.change?.after).toMatchObject({ desk: { _ref: 'managed/desk/d1' } })
    expect(page.others.map(({ path, id }) => `${path}/${id}`)).toEqual(['managed/desk/d1'])
    expect(page.others[0]).toMatchObject({ before: { owner: null }, after: { owner: ref('user/ann') } })
  })

  it.each<[string, () => ObjectWrite[], string[], string[]]>([
    ['a move', () => [update('ann', { desk: ref('desk/d2') })], ['ann', 'd1', 'd2'], ['ann on d2']],
    ['taking another’s place', () => [update('bob', { desk: ref('desk/d1') })], ['bob', 'd1'], ['bob on d1']],
    ['leaving', () => [update('ann', { desk: null })], ['ann', 'd1'], []],
    ['going altogether', () => [{ operation: 'delete', id: 'ann' }], ['ann', 'd1'], []],
    ['the same again', () => [update('ann', { name: 'Ann', desk: ref('desk/d1') })], [], ['ann on d1']],
  ])('and reports what changed at both ends: %s', async (_situation, writes, changed, seats) => {
    await write('user', create('ann', { name: 'Ann', desk: ref('desk/d1') }), create('bob'))
    const page = await write('user', ...writes())
    const changes = [...page.outcomes.flatMap(({ change }) => change ?? []), ...page.others]
    expect(new Set(changes.map(({ id }) => id))).toEqual(new Set(changed))
    const found = await Promise.all(
      ['d1', 'd2'].map(async (desk) => (await owners(desk)).map((id) => `${id} on ${desk}`)),
    )
    expect(found.flat()).toEqual(seats)
  })

  it('with as many calls for many objects as for two', async () => {
    const callsFor = async (count: number) => {
      calls.length = 0
      const ids = Array.from({ length: count }, (_, at) => `u${count}-${at}`)
      await write('user', ...ids.map((id) => create(id, { groups: [ref('group/red'), ref('group/blue')] })))
      return calls.length
    }
    const two = await callsFor(2)
    expect(await callsFor(30)).toBe(two)
  })

  it('for the objects that are not refused', async () => {
    await write('user', create('ann'))
    const page = await write('user', create('ann'), create('bob', { desk: ref('desk/gone') }), create('eve'))
    expect(page.outcomes.map(({ result }) => (result.ok ? 'ok' : result.error.message))).toEqual([
      ...['managed/user/ann exists already', 'managed/user/bob: managed/desk/gone does not exist', 'ok'],
    ])
  })

  it('or not at all, if an object has changed since it was read', async () => {
    await write('user', create('ann', { name: 'Ann' }))
    const before = await stored('managed/user', 'ann')
    await write('user', update('ann', { name: 'Anna' }))
    const late = { write: update('ann', { name: 'Ann', desk: ref('desk/d1') }), stored: before }
    const options = { relations: relationsOf('user'), isSynchronized: () => true, whole: true }
    await expect(
      repository.transaction((store) => writeRelated({ store, ...options }, [late])),
    ).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect(await owners('d1')).toEqual([])
  })
})

describe('an update is unchanged', () => {
  it.each<[string, JsonObject, boolean]>([
    ['if it says what is there', { name: 'Ann', desk: ref('desk/d1') }, true],
    ['if it does not mention relationships', { name: 'Ann' }, true],
    ['unless its own part differs', { name: 'Anna' }, false],
    ['unless a relationship differs', { name: 'Ann', desk: null }, false],
  ])('%s', async (_situation, content, expected) => {
    await write('desk', create('d1'))
    await write('user', create('ann', { name: 'Ann', desk: ref('desk/d1') }))
    const before = await stored('managed/user', 'ann')
    if (!before) throw new Error('ann is stored')
    calls.length = 0
    const related = { write: update('ann', content), stored: before }
    expect(await isUnchanged({ store: repository, relations: relationsOf('user') }, related)).toBe(expected)
    expect(calls.filter((call) => /^(?:write|insert|update|delete)/.test(call))).toEqual([])
  })
})
