import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../kit/process.ts'
import { administrator, openWorld, type World } from '../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }

/** A run that ended here, as it was stored while another process was working on it. */
async function activeElsewhere(world: World, pid: number, as?: string): Promise<string> {
  const { run } = await world.run()
  const id = as ?? run.id
  const record = await world.repository.runs.read(run.id)
  const { born: _, ...described } = thisProcess()
  const worker = { name: 'other', owner: 'a process', process: { ...described, pid }, ttl: 60_000 }
  await world.repository.leases.take(worker)
  await world.repository.runs.save({
    ...(record as NonNullable<typeof record>),
    id,
    state: 'ACTIVE',
    content: {
      ...run.toJSON(),
      _id: id,
      state: 'ACTIVE',
      outcome: 'ACTIVE',
      stage: 'ACTIVE_RECONCILING_SOURCE',
      worker: worker.name,
    },
  })
  return id
}

describe('a run of another process on the same data folder', () => {
  it('is ACTIVE as long as that process lives, can be stopped there only, and has FAILED when it is gone', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons(ann)
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const id = await activeElsewhere(world, other.pid as number)
    const { reconciliations } = world
    expect(await reconciliations.read(id)).toMatchObject({ state: 'ACTIVE' })
    expect(await reconciliations.read(id)).not.toHaveProperty('worker')
    expect((await reconciliations.list()).map(({ state }) => state)).toEqual(['ACTIVE'])
    for (const stop of [reconciliations.cancel(id), reconciliations.delete(id, administrator)]) {
      await expect(stop).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining(`process ${other.pid}`),
      })
    }
    other.kill('SIGKILL')
    await once(other, 'exit')
    expect(await reconciliations.read(id)).toMatchObject({
      state: 'FAILED',
      outcome: 'FAILED',
      ended: expect.stringMatching(/^\d{4}-/),
      failure: { message: expect.stringContaining('run it again') },
    })
    await reconciliations.delete(id, administrator)
    expect(await reconciliations.list()).toEqual([])
  })
})

describe('a run that was killed with its process', () => {
  const shown = { state: 'FAILED', failure: { message: expect.stringContaining('ended before the run did') } }
  async function killed(world: World): Promise<string> {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const id = await activeElsewhere(world, other.pid as number, 'killed')
    const content = { _id: `${id}-start`, userId: 'openidm-admin', reconAction: 'reconById' }
    await world.repository.audit.append([
      { id: content._id, topic: 'recon', timestamp: '2026-01-01T00:00:00.000Z', content },
    ])
    other.kill('SIGKILL')
    await once(other, 'exit')
    return id
  }

  it.each([
    ['a server that starts', (world: World) => world.reconciliations.recover([])],
    ['the next run', async (world: World) => void (await world.run())],
  ])('is ended by %s, in the store and in the audit', async (_, next) => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons(ann)
    const id = await killed(world)
    expect(await world.reconciliations.read(id)).toMatchObject(shown)
    expect(await world.repository.runs.read(id)).toMatchObject({ state: 'ACTIVE' })
    await next(world)
    expect(await world.repository.runs.read(id)).toMatchObject({ state: 'FAILED', content: shown })
    expect(await world.repository.audit.read('recon', `${id}-summary`)).toMatchObject({
      ...{
        status: 'FAILURE',
        userId: 'openidm-admin',
        reconAction: 'reconById',
        messageDetail: { _id: id, ...shown },
      },
    })
    expect(world.logged.filter((line) => line.includes(id))).toHaveLength(1)
    await next(world)
    expect(world.logged.filter((line) => line.includes(id))).toHaveLength(1)
  })

  it('is left alone as long as its process lives', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons(ann)
    const id = await activeElsewhere(world, process.ppid)
    await world.reconciliations.recover([])
    expect(await world.repository.runs.read(id)).toMatchObject({ state: 'ACTIVE' })
  })
})

describe('a run that the store no longer lists', () => {
  it('is read from its summary if it was purged', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons(ann)
    const { run } = await world.run()
    await world.repository.runs.delete(run.id)
    expect(await world.reconciliations.read(run.id)).toMatchObject({ _id: run.id, state: 'SUCCESS' })
  })

  it('is gone if it was deleted, and the audit says who', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons(ann)
    const { run } = await world.run()
    expect(await world.reconciliations.delete(run.id, administrator)).toMatchObject({ _id: run.id })
    await expect(world.reconciliations.read(run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await world.repository.audit.read('activity', `${run.id}-deleted`)).toMatchObject({
      objectId: `recon/${run.id}`,
      operation: 'DELETE',
      userId: 'openidm-admin',
    })
  })
})
