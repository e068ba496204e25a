import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ObjectWriteRequest } from '../../router/resources.ts'
import type { Connector } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import type { ConnectorObject } from '../kit/query.ts'
import { splitBy } from '../kit/query.ts'
import { type Attributes, Secret } from '../kit/values.ts'
import { type ConnectorWrite, changed, eachWrite } from '../kit/write.ts'
import { openSystem } from './open-system.ts'

/**
 * A system that fails: a write with an error, before or after it has taken effect. It counts how often a write reached it.
 */
interface Hostile {
  readonly objects: Map<string, ConnectorObject>
  /** What it was asked to write, in order. */
  readonly sent: string[]
  /** The failure of each attempt, until there are none left. */
  readonly failures: Failure[]
  readonly givesIds: boolean
  readonly namesAreUnique: boolean
  /** Reading fails, too. */
  isBlind: boolean
  atOnce: number
  mostAtOnce: number
  /** What another program does after the failure. */
  meanwhile: (() => void) | undefined
}

interface Failure {
  readonly error: Error
  readonly when: 'before' | 'after'
}

const standard = { multivalued: false, required: false, type: 'string' } as const

function connectorTo(system: Hostile): Connector {
  const idFor = (attributes: Attributes) =>
    system.givesIds ? `#${system.objects.size + 1}` : String(attributes.name)
  const perform = async (write: ConnectorWrite) => {
    system.sent.push(`${write.operation} ${write.operation === 'create' ? write.attributes.name : write.id}`)
    system.mostAtOnce = Math.max(system.mostAtOnce, ++system.atOnce)
    await new Promise((resolve) => setTimeout(resolve, 1))
    system.atOnce--
    const failure = system.failures.shift()
    if (failure?.when === 'before') return fail(failure.error)
    const id = effect(write)
    if (failure) return fail(failure.error)
    return id
  }
  const fail = (error: Error): never => {
    system.meanwhile?.()
    throw error
  }
  const effect = (write: ConnectorWrite): string => {
    const { objects } = system
    if (write.operation === 'create') {
      const id = idFor(write.attributes)
      if (objects.has(id)) throw new ConnectorError('alreadyExists', `${id} is taken`)
      objects.set(id, { ...write.attributes, _id: id })
      return id
    }
    const before = objects.get(write.id)
    if (!before) throw new ConnectorError('unknownId', `There is no ${write.id}`)
    if (write.operation === 'delete') objects.delete(write.id)
    else objects.set(write.id, changed(before, write.changes))
    return write.id
  }
  const requireSight = () => {
    if (system.isBlind) throw new ConnectorError('connection', 'no answer')
  }
  return {
    displayName: 'Hostile',
    agreedNames: () => ({ __NAME__: 'name', __PASSWORD__: 'password' }),
    schema: async () => ({
      any: {
        attributes: [
          { ...standard, name: 'name', unique: system.namesAreUnique, comparison: 'exact' },
          { ...standard, name: 'mail' },
          { ...standard, name: 'lists', multivalued: true },
          { ...standard, name: 'password', secret: true },
        ],
      },
    }),
    split: (_, filter) => splitBy(filter, () => true),
    async *search({ filter }) {
      requireSight()
      const wanted = filter.kind === 'compare' ? filter.value : undefined
      yield [...system.objects.values()].filter(({ name }) => name === wanted)
    },
    async readMany(_, ids) {
      requireSight()
      const found = ids.map((id) => system.objects.get(id)).filter((object) => object !== undefined)
      return new Map(found.map((object) => [object._id, object]))
    },
    ...(!system.givesIds && {
      idOf: (_, { name }, proposed) => (name === undefined ? proposed : String(name)),
    }),
    deltas: () => true,
    writeMany: async (_, writes, signal) => eachWrite(writes, perform, signal),
    [Symbol.asyncDispose]: async () => {},
  }
}

async function opened(given: Partial<Hostile> = {}, resilience: JsonObject = {}) {
  const hostile: Hostile = {
    objects: new Map([['old', { _id: 'old', name: 'old', mail: 'old@x', lists: ['a', 'b'] }]]),
    sent: [],
    failures: [],
    givesIds: false,
    namesAreUnique: true,
    isBlind: false,
    atOnce: 0,
    mostAtOnce: 0,
    meanwhile: undefined,
    ...given,
  }
  const kind: ConnectorKind = {
    connectorName: 'hostile',
    displayName: 'Hostile',
    bundleName: '',
    bundleVersion: '1',
    configurationSchema: {},
    create: () => connectorTo(hostile),
  }
  const configuration = {
    name: 'far',
    connectorRef: { connectorName: 'hostile' },
    resilience: { retries: 2, firstDelay: 1, longestDelay: 2, ...resilience },
    objectTypes: {
      account: {
        nativeType: 'any',
        properties: {
          name: { type: 'string', nativeName: '__NAME__' },
          mail: { type: 'string' },
          lists: { type: 'array', items: { type: 'string' } },
          password: { type: 'string', nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
        },
      },
    },
  }
  const system = await openSystem(configuration, {
    kinds: [kind],
    projectFolder: '/',
    decrypt: async (value) => value,
  })
  const objects = system.objects.get('account')
  if (!objects) throw new Error('no type')
  return { hostile, objects }
}

const caller = { external: false, userId: 'system', roles: [], transactionId: 't' }
const lost = new ConnectorError('connection', 'the connection broke')
const refused = new ConnectorError('connection', 'refused', {
  cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
})
const late = new ConnectorError('timeout', 'no answer in time')
const busy = new ConnectorError('busy', 'come back', { retryAfter: 1 })
const create: ObjectWriteRequest = {
  operation: 'create',
  content: { name: 'new', mail: 'new@x', lists: ['b', 'a'] },
}
const update: ObjectWriteRequest = { operation: 'update', id: 'old', content: { mail: 'changed@x' } }
const reset: ObjectWriteRequest = { operation: 'update', id: 'old', content: { password: 'secret' } }
const remove: ObjectWriteRequest = { operation: 'delete', id: 'old' }

describe('a write that fails for a while', () => {
  it.each<
    [
      what: string,
      write: ObjectWriteRequest,
      error: Error,
      when: Failure['when'],
      system: Partial<Hostile>,
      outcome: string,
    ]
  >([
    ['a create that the system had no time for is sent again', create, busy, 'before', {}, 'ok, 2 sent'],
    ['a create that never left is sent again', create, refused, 'before', {}, 'ok, 2 sent'],
    [
      'a create that another program was in the way of is sent again',
      create,
      new ConnectorError('conflict', 'x'),
      'before',
      {},
      'ok, 2 sent',
    ],
    ['a create that was done before the connection broke is found', create, lost, 'after', {}, 'ok, 1 sent'],
    [
      'a create that was not done before the connection broke is sent again',
      create,
      lost,
      'before',
      {},
      'ok, 2 sent',
    ],
    ['a create that is late and done is found', create, late, 'after', {}, 'ok, 1 sent'],
    [
      'a create that is late may still come: it is not sent again',
      create,
      late,
      'before',
      {},
      'unknown, 1 sent',
    ],
    [
      'a create whose id the system gives is found by its name',
      create,
      lost,
      'after',
      { givesIds: true },
      'ok, 1 sent',
    ],
    [
      'a create whose id the system gives is sent again where its name is free',
      create,
      lost,
      'before',
      { givesIds: true },
      'ok, 2 sent',
    ],
    [
      'a create that nothing tells apart is not sent again',
      create,
      lost,
      'before',
      { givesIds: true, namesAreUnique: false },
      'unknown, 1 sent',
    ],
    [
      'a create that nobody can look for is not sent again',
      create,
      lost,
      'before',
      { isBlind: true },
      'unknown, 1 sent',
    ],
    ['an update that was done is found', update, lost, 'after', {}, 'ok, 1 sent'],
    ['an update that was not done is sent again', update, lost, 'before', {}, 'ok, 2 sent'],
    [
      'an update that is late is sent again: twice is as good as once',
      update,
      late,
      'before',
      {},
      'ok, 2 sent',
    ],
    ['a password cannot be looked at: it is set again', reset, lost, 'after', {}, 'ok, 2 sent'],
    ['a delete that was done is seen', remove, lost, 'after', {}, 'ok, 1 sent'],
    ['a delete that was not done is sent again', remove, lost, 'before', {}, 'ok, 2 sent'],
    [
      'what is refused is not sent again',
      update,
      new ConnectorError('permission', 'no'),
      'before',
      {},
      'unknown, 1 sent',
    ],
    [
      'what failed without saying why is not sent again',
      update,
      new ConnectorError('failed', 'no'),
      'before',
      {},
      'unknown, 1 sent',
    ],
  ])('%s', async (_, write, error, when, given, outcome) => {
    const { hostile, objects } = await opened({ ...given, failures: [{ error, when }] })
    const [result] = await objects.writeMany([write], caller)
    expect(`${result?.ok ? 'ok' : 'unknown'}, ${hostile.sent.length} sent`).toBe(outcome)
    if (!result?.ok) expect(result?.error.message).toBe(error.message)
    const expected: Record<string, () => boolean> = {
      create: () => [...hostile.objects.values()].filter(({ name }) => name === 'new').length === 1,
      update: () =>
        hostile.objects.get('old')?.mail === 'changed@x' ||
        hostile.objects.get('old')?.password instanceof Secret,
      delete: () => !hostile.objects.has('old'),
    }
    if (result?.ok) expect(expected[write.operation]?.()).toBe(true)
  })

  it('fails in the end with the words of the system', async () => {
    const { hostile, objects } = await opened({
      failures: Array.from({ length: 9 }, () => ({ error: busy, when: 'before' })),
    })
    await expect(objects.writeMany([update], caller)).resolves.toMatchObject([
      { ok: false, error: { message: 'come back' } },
    ])
    expect(hostile.sent).toHaveLength(3)
  })

  it('is never taken for done where somebody else holds the id', async () => {
    const { hostile, objects } = await opened({ failures: [{ error: lost, when: 'before' }] })
    hostile.meanwhile = () => hostile.objects.set('new', { _id: 'new', name: 'new', mail: 'other@x' })
    await expect(objects.writeMany([create], caller)).resolves.toMatchObject([
      { ok: false, error: { message: lost.message } },
    ])
    expect(hostile.sent).toEqual(['create new'])
  })

  it('sets the password of a create that was done, since nobody can see whether it has arrived', async () => {
    const { hostile, objects } = await opened({ failures: [{ error: lost, when: 'after' }] })
    const withPassword = { ...create, content: { ...create.content, password: 'secret' } }
    await expect(objects.writeMany([withPassword], caller)).resolves.toMatchObject([{ ok: true }])
    expect(hostile.sent).toEqual(['create new', 'update new'])
  })

  it('is repeated alone: the other writes of its page are done once', async () => {
    const { hostile, objects } = await opened({ failures: [{ error: busy, when: 'before' }] })
    await objects.writeMany([update, create], caller)
    expect(hostile.sent).toEqual(['update old', 'create new', 'update old'])
  })

  it('is not repeated where its page has another write of its object', async () => {
    const { hostile, objects } = await opened({ failures: [{ error: busy, when: 'before' }] })
    const results = await objects.writeMany([update, remove], caller)
    expect([results.map(({ ok }) => ok), hostile.sent]).toEqual([
      [false, true],
      ['update old', 'delete old'],
    ])
  })
})

describe('several objects at a time', () => {
  const page = [
    ...Array.from({ length: 8 }, (_, n) => ({ operation: 'create', content: { name: `n${n}` } }) as const),
    ...Array.from(
      { length: 8 },
      (_, n) => ({ operation: 'update', id: `n${n}`, content: { mail: 'first' } }) as const,
    ),
    ...Array.from(
      { length: 8 },
      (_, n) => ({ operation: 'update', id: `n${n}`, content: { mail: 'second' } }) as const,
    ),
  ]

  it.each([
    [1, 1],
    [4, 4],
    [100, 8],
  ])(
    'writesAtOnce %i writes at most %i, each object in its order, with the outcomes at their places',
    async (writesAtOnce, most) => {
      const { hostile, objects } = await opened({}, { writesAtOnce })
      const results = await objects.writeMany(page, caller)
      expect(results.map((result) => (result.ok ? result.object._id : result.error.message))).toEqual(
        Array.from({ length: 24 }, (_, place) => `n${place % 8}`),
      )
      expect([...hostile.objects.values()].filter(({ mail }) => mail === 'second')).toHaveLength(8)
      expect(hostile.mostAtOnce).toBe(most)
    },
  )

  it('are no more calls than concurrency allows', async () => {
    const { hostile, objects } = await opened({}, { writesAtOnce: 8, concurrency: 2 })
    await objects.writeMany(page, caller)
    expect(hostile.mostAtOnce).toBe(2)
  })
})
