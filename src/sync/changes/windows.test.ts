import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { queueProvider } from '../resources/queue.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'
import { implicitSync } from './implicit/implicit-sync.ts'
import { ChangeQueue } from './queue/change-queue.ts'
import { ChangeWindows } from './windows.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
const hour = 3_600_000

/** `linked` people with their users, and a clock of the windows. */
async function people(linked: number, mapping: JsonObject = {}) {
  const world = await openWorld({ mapping: { properties, policies, ...mapping } })
  const ids = Array.from({ length: linked }, (_, index) => String(index))
  await world.persons(...ids.map((id) => ({ _id: `p${id}`, mail: `${id}@x` })))
  await world.users(...ids.map((id) => ({ _id: `u${id}`, mail: `${id}@x` })))
  for (const id of ids) await world.link(`p${id}`, `u${id}`)
  world.writes.length = 0
  const clock = { now: 0 }
  const windows = new ChangeWindows(world.repository.links, () => clock.now)
  const options = { ...world.singles, mappings: () => [world.mapping], windows }
  const notify = implicitSync(options)
  const leave = async (from: number, to: number) => {
    const results: unknown[] = []
    for (let id = from; id < to; id++) {
      const oldValue = { _id: `p${id}`, mail: `${id}@x` }
      await world.remove(`${source}/p${id}`).catch(() => undefined)
      const event = {
        action: 'notifyDelete' as const,
        container: source,
        id: `p${id}`,
        oldValue,
        newValue: null,
      }
      const outcome = await notify(event, administrator)
      results.push(outcome.results[0]?.result)
    }
    return results
  }
  return { world, clock, options, leave }
}

const waiting = async ({ repository }: World) => {
  const filter = { kind: 'literal', value: true } as const
  return (await repository.syncQueue.query({ filter })).result
}
const left = async (world: World) => Object.keys(await world.all(target)).length

describe('changes that come one by one', () => {
  it('delete no more within the window than the guard allows; the rest waits to be released', async () => {
    const { world, leave } = await people(120)
    await using _ = world
    const results = await leave(0, 60)
    expect(results.filter((result) => result === 'SUCCESSFUL')).toHaveLength(36)
    expect(results.slice(36)).toEqual(results.slice(36).map(() => 'POSTPONED'))
    expect(await left(world)).toBe(84)
    const events = await waiting(world)
    expect(events).toHaveLength(24)
    expect(events[0]).toMatchObject({
      state: 'DEAD',
      heldBack: true,
      resourceId: 'p36',
      syncAction: 'notifyDelete',
    })
    const { result: cases } = await world.repository.issues.query({
      filter: { kind: 'literal', value: true },
    })
    expect(cases).toMatchObject([
      { kind: 'HELD_BACK', count: 24, hint: expect.stringContaining('--release') },
    ])
    expect(events[0]?.lastError).toContain('37 deletes for 120 linked targets; at most 36 (30%) are allowed')
  })

  it('may do as much again when the window is over', async () => {
    const { world, clock, leave } = await people(120)
    await using _ = world
    await leave(0, 37)
    clock.now += hour / 2
    expect(await leave(37, 38)).toEqual(['POSTPONED'])
    clock.now += hour / 2 + 1
    expect(await leave(38, 39)).toEqual(['SUCCESSFUL'])
  })

  it.each<[what: string, mapping: JsonObject, deleted: number]>([
    ['of few', {}, 50],
    ['without a guard', { guard: false }, 50],
    ['of a number', { guard: { maxDeletes: 3 } }, 3],
  ])('are counted as a run counts them: %s', async (_what, mapping, deleted) => {
    const { world, leave } = await people(50, mapping)
    await using _ = world
    await leave(0, 50)
    expect(await left(world)).toBe(50 - deleted)
  })

  it('disable and unlink no more than it allows, either', async () => {
    const unlinking = [{ situation: 'SOURCE_MISSING', action: 'UNLINK' }]
    const { world, leave } = await people(120, { policies: unlinking })
    await using _ = world
    await leave(0, 60)
    expect(await world.links()).toHaveLength(84)
  })

  it('leave alone what has come back before it is released, and do the rest then', async () => {
    const { world, options, leave } = await people(10, { guard: { maxDeletes: 1 } })
    await using _ = world
    await leave(0, 3)
    await world.persons({ _id: 'p1', mail: 'back@x' })
    await using queue = new ChangeQueue({ ...options, isActive: async () => false })
    await queue.start()
    const provider = queueProvider(world.repository, (mapping) => queue.wake(mapping))
    const release = (parameters: Record<string, string>) =>
      provider.action?.('', { name: 'release', content: null, parameters }, administrator)
    await expect(release({ mapping: world.mapping.name })).rejects.toThrow(
      'release needs the parameters mapping, and reason',
    )
    expect(await release({ mapping: world.mapping.name, reason: 'they left' })).toMatchObject({ released: 2 })
    await queue.idle()
    expect(await waiting(world)).toEqual([])
    expect(Object.keys(await world.all(target)).filter((id) => ['u0', 'u1', 'u2'].includes(id))).toEqual([
      'u1',
    ])
    const { result } = await world.repository.audit.query('activity', {
      filter: { kind: 'literal', value: true },
    })
    expect(result).toContainEqual(
      expect.objectContaining({ message: 'the guard is overridden: they left', userId: 'openidm-admin' }),
    )
  })

  it('wait in the queue that they come from', async () => {
    const queuedSync = { enabled: true, pollingInterval: 10 }
    const { world, options } = await people(10, { guard: { maxDeletes: 1 }, queuedSync })
    await using _ = world
    const { queuedEvent } = await import('./queue/queued-change.ts')
    const events = ['p0', 'p1', 'p2'].map((id) =>
      queuedEvent(
        world.mapping.name,
        { action: 'notifyDelete', container: source, id, oldValue: { _id: id }, newValue: null },
        administrator,
        'PENDING',
      ),
    )
    await world.repository.syncQueue.add(events)
    await using queue = new ChangeQueue({ ...options, isActive: async () => false })
    for (const id of ['p0', 'p1', 'p2']) await world.remove(`${source}/${id}`)
    await queue.start()
    await queue.idle()
    expect(await left(world)).toBe(9)
    expect(
      (await waiting(world)).map(({ state, heldBack, attempts }) => [state, heldBack, attempts]),
    ).toEqual([
      ['DEAD', true, 0],
      ['DEAD', true, 0],
    ])
  })
})
