import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../kit/process.ts'
import { administrator, openWorld, type World } from '../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }

/** A run that ended here, as it was stored while another process was working on it. */
async function activeElsewhere(world: World, pid: number): Promise<string> {
  const { run } = await world.run()
  const record = await world.repository.runs.read(run.id)
  const { born: _, ...described } = thisProcess()
  const worker = { name: 'other', owner: 'a process', process: { ...described, pid }, ttl: 60_000 }
  await world.repository.leases.take(worker)
  await world.repository.runs.save({
    ...(record as NonNullable<typeof record>),
    state: 'ACTIVE',
    content: {
      ...run.toJSON(),
      state: 'ACTIVE',
      stage: 'ACTIVE_RECONCILING_SOURCE',
      worker: worker.name,
    },
  })
  return run.id
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
      ended: expect.stringMatching(/^\d{4}-/),
      failure: { message: expect.stringContaining('run it again') },
    })
    await reconciliations.delete(id, administrator)
    expect(await reconciliations.list()).toEqual([])
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
