import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { Resources, SetChange } from '../../router/resources.ts'
import { type Ids, linksOf, people, rowsOf } from '../testing/exchange.ts'
import { administrator, source } from '../testing/world.ts'
import { implicitSync, synchronizeChanges } from './implicit/implicit-sync.ts'
import { failureHandler } from './live-sync/failure-handler.ts'
import { liveSync } from './live-sync/live-sync.ts'
import { ChangeQueue } from './queue/change-queue.ts'
import { queuedEvent } from './queue/queued-change.ts'

const before = { p1: 'a', p2: 'b', p3: 'c', p4: 'd' }
const now = { p1: 'b', p2: 'c', p3: 'a', p4: 'e' }

const ways: [string, JsonObject][] = [
  ['in a page', {}],
  ['one by one', { taskThreads: 1 }],
]

type Exchange = Awaited<ReturnType<typeof people>>

async function requireEnd(world: Exchange, had: Ids, has: Ids): Promise<void> {
  expect(await world.directory.rows()).toEqual(rowsOf(had, has))
  expect(await world.links()).toEqual(linksOf(has))
  expect(await world.repository.intents.list('person_user', 10)).toEqual([])
}

/** The change of a person as it is told. */
async function changeOf(world: Exchange, id: string) {
  const newValue = (await world.all(source))[id] ?? null
  return { action: 'notifyUpdate', container: source, id, oldValue: null, newValue } as const
}

describe.each(ways)('ids that pass on between accounts outside, %s', (_way, mapping) => {
  it('do so where the changes come together, and each change has one result and one record', async () => {
    await using world = await people(before, now, { mapping })
    const services = { ...world.singles, mappings: () => [world.mapping] }
    const flows = await Promise.all(
      Object.keys(now).map(async (id) => ({ event: await changeOf(world, id), mappings: [world.mapping] })),
    )
    const outcomes = await synchronizeChanges(services, flows, administrator)
    expect(
      outcomes.map(({ results }) =>
        results.map(({ sourceId, result, targetId }) => [sourceId, result, targetId]),
      ),
    ).toEqual(Object.entries(now).map(([id, uid]) => [[id, 'SUCCESSFUL', uid]]))
    const { result } = await world.repository.audit.query('sync', {
      filter: { kind: 'literal', value: true },
    })
    expect(result.map(({ sourceObjectId, status }) => [sourceObjectId, status]).toSorted()).toEqual(
      Object.keys(now).map((id) => [`${source}/${id}`, 'SUCCESS']),
    )
    await requireEnd(world, before, now)
  })

  it('do so in one liveSync, whatever the order of its changes', async () => {
    await using world = await people(before, now, { mapping })
    const persons = await world.all(source)
    const changes = Object.keys(now).map((id, place): SetChange => {
      const object = { ...persons[id], _id: id }
      return { kind: 'UPDATE', id, object, token: place + 1 }
    })
    const telling = {
      latestToken: async () => 0,
      async *since() {
        yield* changes
      },
    }
    const resources: Resources = {
      ...world.resources,
      objectSet: (path) => ({
        ...world.resources.objectSet(path),
        ...(path === source && { changes: telling }),
      }),
    }
    const single = {
      ...world.singles,
      windows: undefined,
      resources: () => resources,
      mappings: () => [world.mapping],
    }
    const options = {
      ...single,
      notify: implicitSync(single),
      handlerOf: () => failureHandler(undefined),
      runScript: async () => [],
    }
    const stage = await liveSync(options, { source, fromBeginning: true }, administrator)
    expect(stage).not.toHaveProperty('lastException')
    await requireEnd(world, before, now)
  })

  it('do so in the queue, although each change failed alone before the others came', async () => {
    const queuedSync = { enabled: true, pollingInterval: 5, retryDelay: 300_000, maxRetries: 1 }
    await using world = await people(before, now, { mapping: { ...mapping, queuedSync } })
    await using queue = new ChangeQueue({
      ...world.singles,
      mappings: () => [world.mapping],
      isActive: async () => false,
    })
    await queue.start()
    for (const id of Object.keys(now)) {
      const event = queuedEvent('person_user', await changeOf(world, id), administrator, 'PENDING')
      await world.repository.syncQueue.add([event])
      queue.wake('person_user')
      await queue.idle()
    }
    await requireEnd(world, before, now)
    const waiting = await world.repository.syncQueue.query({ filter: { kind: 'literal', value: true } })
    expect(waiting.result).toEqual([])
  })
})
