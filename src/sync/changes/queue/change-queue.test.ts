import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { script } from '../../../testing/script.ts'
import { queueProvider } from '../../resources/queue.ts'
import { administrator, openWorld, source, target, type World } from '../../testing/world.ts'
import { backoff, ChangeQueue } from './change-queue.ts'
import { queuedEvent } from './queued-change.ts'

/** The queue of a mapping, worked for real: order, retries, dead letters (engine §8.5). */
const mapping = {
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name' },
  ],
  policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
}
const queued = (settings: JsonObject = {}) => ({
  enabled: true,
  pollingInterval: 5,
  retryDelay: 1,
  ...settings,
})

let queue: ChangeQueue | undefined

async function open(settings: JsonObject = {}, more: JsonObject = {}, said: string[] = []): Promise<World> {
  const world = await openWorld({
    mapping: { ...mapping, queuedSync: queued(settings), ...more },
    onSaid: (line) => said.push(line),
  })
  const own = new ChangeQueue({
    ...world.singles,
    mappings: () => [world.mapping],
    isActive: async () => false,
  })
  queue = own
  const closeWorld = world[Symbol.asyncDispose].bind(world)
  return Object.assign(world, {
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]()
      await closeWorld()
    },
  })
}

type Kind = 'notifyCreate' | 'notifyUpdate' | 'notifyDelete'

async function change(
  world: World,
  action: Kind,
  id: string,
  name: string | null,
  before: string | null = null,
): Promise<string> {
  const value = (text: string | null) => (text === null ? null : { _id: id, mail: `${id}@x`, name: text })
  const event = { action, container: source, id, oldValue: value(before), newValue: value(name) }
  const stored = queuedEvent('person_user', event, administrator, 'PENDING')
  await world.repository.syncQueue.add([stored])
  return stored.id
}

const names = async (world: World) =>
  Object.values(await world.all(target))
    .map(({ name }) => name)
    .toSorted()
const waiting = async (world: World) =>
  (await world.repository.syncQueue.query({ filter: { kind: 'literal', value: true } })).result

describe('the changes of one object', () => {
  it('are synchronized in the order in which they were made, and leave the queue', async () => {
    await using world = await open()
    await change(world, 'notifyCreate', 'p1', 'First')
    await change(world, 'notifyUpdate', 'p1', 'Second', 'First')
    await change(world, 'notifyUpdate', 'p1', 'Third', 'Second')
    await queue?.start()
    await expect.poll(() => waiting(world)).toEqual([])
    expect(world.writes.map((write) => write.split(' ')[0])).toEqual(['create', 'update', 'update'])
    expect(await names(world)).toEqual(['Third'])
  })

  it('wait for the one before them that fails, while those of others go on', async () => {
    const validSource = script(
      "if (source.name === 'Broken' && !openidm.read('managed/person/repaired')) { throw 'down' } true",
    )
    await using world = await open({}, { validSource })
    await change(world, 'notifyCreate', 'p1', 'Broken')
    await change(world, 'notifyUpdate', 'p1', 'Later', 'Broken')
    await change(world, 'notifyCreate', 'p2', 'Other')
    await queue?.start()
    await expect.poll(() => names(world)).toEqual(['Other'])
    expect((await waiting(world)).map(({ resourceId }) => resourceId)).toEqual(['p1', 'p1'])
    await world.persons({ _id: 'repaired', mail: 'r@x', name: 'Rr' })
    await expect.poll(() => names(world)).toEqual(['Later', 'Other'])
    expect(await waiting(world)).toEqual([])
  })

  it('that ends with its deletion end with its target gone', async () => {
    await using world = await open()
    await change(world, 'notifyCreate', 'p1', 'First')
    await change(world, 'notifyDelete', 'p1', null, 'First')
    await queue?.start()
    await expect.poll(() => waiting(world)).toEqual([])
    expect([await names(world), await world.links()]).toEqual([[], []])
  })
})

describe('in a process that does not work the queue by itself', () => {
  it('what is due of one mapping is worked when it is asked for, and what fails waits for others', async () => {
    const validSource = script("if (source.name === 'Broken') { throw 'down' } true")
    await using world = await open({ retryDelay: 60_000 }, { validSource })
    await change(world, 'notifyCreate', 'p1', 'First')
    await change(world, 'notifyCreate', 'p2', 'Broken')
    expect(await names(world)).toEqual([])
    await queue?.work('person_user')
    expect(await names(world)).toEqual(['First'])
    expect((await waiting(world)).map(({ resourceId, attempts }) => [resourceId, attempts])).toEqual([
      ['p2', 1],
    ])
  })
})

describe('a change that fails too often', () => {
  const fails = { validSource: script("throw 'always'") }

  it('is dropped, with a line in the log, where the mapping says nothing else', async () => {
    await using world = await open({ maxRetries: 2 }, fails)
    await change(world, 'notifyCreate', 'p1', 'First')
    await queue?.start()
    await expect.poll(() => waiting(world)).toEqual([])
    expect(world.logged).toContainEqual(expect.stringMatching(/warn .*always.*given up after 3 tries/))
  })

  it('becomes a dead letter, which blocks no other change, can be looked at, retried and discarded', async () => {
    const validSource = script("if (!openidm.read('managed/person/repaired')) { throw 'always' } true")
    await using world = await open({ maxRetries: 1, postRetryAction: 'dead-letter-queue' }, { validSource })
    const id = await change(world, 'notifyCreate', 'p1', 'First')
    await queue?.start()
    const provider = queueProvider(world.repository, (name) => queue?.wake(name))
    await expect.poll(async () => (await waiting(world))[0]?.state).toBe('DEAD')
    const cases = async () =>
      (await world.repository.issues.query({ filter: { kind: 'literal', value: true } })).result
    // One case: the failure that it has been before is no other one.
    expect(await cases()).toMatchObject([
      {
        kind: 'DEAD_LETTER',
        ...{ mapping: 'person_user', sourceId: 'p1', sourceName: 'First' },
        letter: `sync/queue/${id}`,
        message: expect.stringContaining('always'),
      },
    ])
    const listed = await provider.query?.('', { filter: { kind: 'literal', value: true } }, administrator)
    expect(listed?.result).toEqual([
      expect.objectContaining({
        _id: id,
        mapping: 'person_user',
        attempts: 2,
        lastError: expect.stringContaining('always'),
      }),
    ])
    expect(listed?.result[0]).not.toHaveProperty('newObject')
    expect(await provider.read?.(id, administrator)).toMatchObject({ newObject: { name: 'First' } })
    // Meanwhile the object has become something else, which is what the target is to become now.
    await world.persons(
      { _id: 'p1', mail: 'p1@x', name: 'Later' },
      { _id: 'repaired', mail: 'r@x', name: 'Rr' },
    )
    await provider.action?.(id, { name: 'retry', content: null, parameters: {} }, administrator)
    await expect.poll(() => names(world)).toEqual(['Later'])
    await expect.poll(cases).toEqual([])
    const { result: acts } = await world.repository.audit.query('activity', {
      filter: { kind: 'literal', value: true },
    })
    expect(acts).toContainEqual(
      expect.objectContaining({ objectId: `sync/queue/${id}`, userId: 'openidm-admin' }),
    )
    await expect(provider.read?.(id, administrator)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(
      provider.action?.(id, { name: 'explode', content: null, parameters: {} }, administrator),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('is handed to a script, which learns what failed and why', async () => {
    const said: string[] = []
    const told = script(
      "logger.info(syncFailure.resourceId + ' ' + syncFailure.attempts + ' ' + failureCause.code)",
    )
    await using world = await open({ maxRetries: 0, postRetryAction: { script: told } }, fails, said)
    await change(world, 'notifyCreate', 'p1', 'First')
    await queue?.start()
    await expect.poll(() => waiting(world)).toEqual([])
    expect(said).toEqual(['p1 1 409'])
  })

  it('is kept as a dead letter if that script fails, too', async () => {
    await using world = await open(
      { maxRetries: 0, postRetryAction: { script: script("throw 'no idea'") } },
      fails,
    )
    await change(world, 'notifyCreate', 'p1', 'First')
    await queue?.start()
    await expect.poll(async () => (await waiting(world))[0]?.state).toBe('DEAD')
  })
})

it('what one process holds, another one leaves alone, and what a dead one held is worked', async () => {
  await using world = await open()
  const id = await change(world, 'notifyCreate', 'p1', 'First')
  const event = await world.repository.syncQueue.read(id)
  await world.repository.syncQueue.update([{ ...(event as NonNullable<typeof event>), state: 'HELD' }])
  queue?.wake('person_user')
  expect(await names(world)).toEqual([])
  await queue?.start()
  await expect.poll(() => names(world)).toEqual(['First'])
})

describe('the time between two tries', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [5, 16_000],
    [20, 300_000],
  ])('is, after %i failures, about %i ms', (attempts, expected) => {
    expect(backoff(attempts, 1000, () => 0.5)).toBe(expected)
    for (const random of [0, 0.999]) {
      const delay = backoff(attempts, 1000, () => random)
      expect(Math.abs(delay - expected)).toBeLessThanOrEqual(expected * 0.2)
    }
  })
})
