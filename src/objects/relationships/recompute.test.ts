import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import { managedTypes } from '../testing/managed-types.ts'
import type { RelationServices, Relations } from '../type/compile.ts'
import { compileType, plainParts } from '../type/compile.ts'
import type { ObjectChange, OnChange } from '../write/changes.ts'
import { writeRelated } from './apply.ts'
import { pendingRecomputations } from './dependents.ts'
import { relationshipModel } from './model.ts'
import { Recomputation } from './recompute.ts'
import { temporalTriggers } from './temporal-triggers.ts'

/** The states of a recomputation, and what is in the store at their ends (platform §6.4). */
const request: RequestContext = { external: false, userId: 'ann', roles: [], transactionId: 't' }
const relation = (path: string, reverse: string): JsonObject => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse },
  resourceCollection: [{ path }],
})
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        properties: {
          city: { type: 'string' },
          roles: { type: 'array', items: relation('managed/role', 'members') },
          titles: {
            ...{ type: 'array', isVirtual: true },
            queryConfig: {
              ...{ referencedRelationshipFields: ['roles'], referencedObjectFields: ['title'] },
              flattenProperties: true,
            },
          },
        },
      },
    },
    {
      name: 'role',
      schema: {
        properties: {
          ...{ title: { type: 'string' }, condition: { type: 'string' } },
          members: { type: 'array', items: relation('managed/user', 'roles') },
        },
      },
    },
  ],
})

let store: TemporaryStore
let repository: Repository
let recomputation: Recomputation
let now: number
let heard: ObjectChange[]
let logged: string[]
let whenNotified: () => Promise<void>

const onChange: OnChange = {
  concerns: () => true,
  enlist: async () => {},
  withdraw: async () => {},
  async notify(changes) {
    heard.push(...changes)
    await whenNotified()
    return []
  },
}

function relationsOf(collection: string): Relations | undefined {
  const model = relationshipModel(types)
  const type = model?.types.get(collection)
  const services: RelationServices = {
    ...{ now: () => now, outside: async ({ id }) => ({ _id: id }), recomputation },
    typeOf: (set) => {
      const found = types.find(({ name }) => `managed/${name}` === set)
      return found && compileType(found, true, plainParts)
    },
  }
  return model && type && { model, type, services }
}

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  now = Date.parse('2026-01-01T00:00:00Z')
  heard = []
  logged = []
  whenNotified = async () => {}
  const log = (_level: string, message: string) => void logged.push(message)
  recomputation = new Recomputation({ repository, onChange, relationsOf, log, now: () => now })
  await write('user', 'ann', { city: 'Bonn' })
  await write('user', 'bob', { city: 'Rome' })
})
afterEach(async () => {
  await recomputation[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

/** In a transaction, with nothing done afterwards: as if the server had stopped there. */
async function write(name: string, id: string, content: JsonObject): Promise<void> {
  const collection = `managed/${name}`
  const there = await repository.objects.existing(collection, [id])
  const relations = relationsOf(collection)
  if (!relations) throw new Error(`there is no ${collection}`)
  const operation = there.has(id) ? 'update' : 'create'
  await repository.transaction((store) =>
    writeRelated({ store, relations, isSynchronized: () => true, whole: true }, [
      { write: { operation, id, content } },
    ]),
  )
}
const titlesOf = async (id: string): Promise<Json> =>
  (await repository.objects.read('managed/user', [id])).get(id)?.titles ?? null
const count = (collection: string) => repository.objects.count(collection)
const forBonn = { title: 'Rhinelander', condition: 'city eq "Bonn"' }

describe('what is noted', () => {
  it('waits in the store for a start, which works it off', async () => {
    await write('role', 'r', forBonn)
    expect([await titlesOf('ann'), await count(pendingRecomputations)]).toEqual([[], 1])
    await recomputation.start()
    expect([await titlesOf('ann'), await titlesOf('bob'), await count(pendingRecomputations)]).toEqual([
      ...[['Rhinelander'], [], 0],
    ])
  })

  it('is synchronized as any change is; where nothing differs there is none', async () => {
    await write('role', 'r', forBonn)
    await recomputation.recompute(request)
    const notified = heard.filter(({ path }) => path === 'managed/user').map(({ id }) => id)
    expect(notified).toEqual(['ann'])
    await recomputation.refresh('managed/user', ['ann', 'bob'], request)
    expect(heard.filter(({ path }) => path === 'managed/user')).toHaveLength(1)
  })

  it('stays when it fails, says so, and is worked off by the next call', async () => {
    await write('role', 'r', forBonn)
    const broken = { ...repository, transaction: async () => Promise.reject(new Error('the disk is full')) }
    const log = (_level: string, message: string) => void logged.push(message)
    const failing = new Recomputation({ repository: broken, onChange, relationsOf, log, now: () => now })
    await failing.recompute(request)
    expect(logged).toEqual(['dependent objects: the disk is full; they are looked after later'])
    expect(await count(pendingRecomputations)).toBe(1)
    await recomputation.recompute(request)
    expect(await titlesOf('ann')).toEqual(['Rhinelander'])
  })
})

describe('a call', () => {
  it('while one is running does not wait for it: the running one takes what is noted meanwhile', async () => {
    await write('role', 'r', forBonn)
    let inside = 0
    whenNotified = async () => {
      if (inside++ > 0) return
      await write('role', 's', { title: 'Roman', condition: 'city eq "Rome"' })
      // Would never end if it waited.
      await recomputation.recompute(request)
    }
    await recomputation.recompute(request)
    expect([await titlesOf('ann'), await titlesOf('bob')]).toEqual([['Rhinelander'], ['Roman']])
    expect(await count(pendingRecomputations)).toBe(0)
  })

  it('after the end does nothing', async () => {
    await write('role', 'r', forBonn)
    await recomputation[Symbol.asyncDispose]()
    await recomputation.recompute(request)
    expect([await titlesOf('ann'), await count(pendingRecomputations)]).toEqual([[], 1])
  })
})

describe('a temporal trigger', () => {
  const untilNoon = { temporalConstraints: [{ duration: '2026-01-01T00:00Z/2026-01-01T12:00Z' }] }
  beforeEach(async () => {
    await write('role', 'r', { ...forBonn, ...untilNoon })
    await recomputation.recompute(request)
  })

  it('that came due while no server ran is passed at the start', async () => {
    expect([await titlesOf('ann'), await count(temporalTriggers)]).toEqual([['Rhinelander'], 1])
    now = Date.parse('2026-01-01T12:00:00Z')
    await recomputation.start()
    expect([await titlesOf('ann'), await count(temporalTriggers)]).toEqual([[], 0])
  })

  it('that is not due waits', async () => {
    now = Date.parse('2026-01-01T11:59:59Z')
    await recomputation.start()
    expect([await titlesOf('ann'), await count(temporalTriggers)]).toEqual([['Rhinelander'], 1])
  })
})
