import { afterEach, describe, expect, it } from 'vitest'
import type { TestProject } from './support/project.ts'
import { everySecond, scheduledTown } from './support/scheduled-town.ts'
import { type Server, serve } from './support/server.ts'

/** Schedules of a running server: what they run, every second (platform §8). */
let project: TestProject
let server: Server | undefined

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = undefined
  project?.[Symbol.dispose]()
})

const names = async () => {
  const { result } = (await (server as Server).call('GET', 'managed/user?_queryFilter=true')).body
  return result.map(({ name }: Record<string, string>) => name).toSorted()
}

describe('a schedule', () => {
  it('reconciles a mapping, also by the names that OpenIDM gave its services', async () => {
    project = scheduledTown()
    project.write('conf/schedule-recon.json', {
      ...everySecond,
      invokeService: 'org.forgerock.openidm.sync',
      invokeContext: { action: 'reconcile', mapping: 'hr_user' },
    })
    server = await serve(project)
    await expect.poll(names).toEqual(['Ann'])
    const { body } = await server.call('GET', 'scheduler/job/recon')
    expect(body).toMatchObject({ _id: 'recon', schedule: '* * * * * ?', nextRunDate: expect.any(String) })
  })

  it('synchronizes changes in a system within one interval', async () => {
    project = scheduledTown()
    project.write('conf/schedule-live.json', {
      ...everySecond,
      invokeService: 'provisioner',
      invokeContext: { action: 'liveSync', source: 'system/hr/account' },
    })
    server = await serve(project)
    const stage = () => (server as Server).call('GET', 'repo/synchronisation/pooledSyncStage/SYSTEMHRACCOUNT')
    await expect.poll(async () => (await stage()).status).toBe(200)
    project.write('data/hr.csv', 'login,name\nann,Ann\nbob,Bob\n')
    await expect.poll(names).toEqual(['Bob'])
  })

  it('that is made over REST runs a script', async () => {
    project = scheduledTown()
    server = await serve(project)
    const script = {
      type: 'text/javascript',
      source:
        "if (!openidm.read('managed/user/made')) { openidm.create('managed/user', 'made', { name: input.name }) }",
    }
    const job = {
      ...everySecond,
      invokeService: 'script',
      invokeContext: { script, input: { name: 'By script' } },
    }
    expect((await server.call('PUT', 'scheduler/job/mine', { body: job })).status).toBe(201)
    await expect.poll(names).toEqual(['By script'])
    // One store, two views: it is a file of the project, and survives a restart.
    expect(JSON.parse(project.read('conf/schedule-mine.json'))).toEqual(job)
    expect((await server.call('GET', 'config/schedule/mine')).body).toMatchObject(job)
    await server.stop()
    server = await serve(project)
    expect((await server.call('GET', 'scheduler/job/mine')).body).toMatchObject(job)
    const { _rev } = (await server.call('GET', 'scheduler/job/mine')).body
    const paused = { ...job, enabled: false }
    const replaced = await server.call('PUT', 'scheduler/job/mine', {
      body: paused,
      headers: { 'If-Match': _rev },
    })
    expect(replaced.body).toMatchObject({ enabled: false, nextRunDate: null })
    expect((await server.call('DELETE', 'scheduler/job/mine')).status).toBe(200)
    expect((await server.call('GET', 'config/schedule/mine')).status).toBe(404)
    expect((await server.call('PUT', 'scheduler/job/bad', { body: { ...job, schedule: '1' } })).status).toBe(
      400,
    )
  })
})
