import { afterEach, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Schedules of a running server: what they run, and the errors of a wrong one (platform §8). */
let project: TestProject
let server: Server | undefined

function town(): void {
  project = new TestProject()
  project.write('data/hr.csv', 'login,name\nann,Ann\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['login', 'name']))
  const text = { type: 'string' }
  const schema = { type: 'object', properties: { userName: text, name: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write('conf/mapping-hr_user.json', {
    ...{ source: 'system/hr/account', target: 'managed/user' },
    properties: [
      { source: 'login', target: 'userName' },
      { source: 'name', target: 'name' },
    ],
  })
}

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = undefined
  project?.[Symbol.dispose]()
})

const everySecond = { enabled: true, type: 'cron', schedule: '* * * * * ?' }
const names = async () => {
  const { result } = (await (server as Server).call('GET', 'managed/user?_queryFilter=true')).body
  return result.map(({ name }: Record<string, string>) => name).toSorted()
}

describe('a schedule', () => {
  it('reconciles a mapping, also by the names that OpenIDM gave its services', async () => {
    town()
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
    town()
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
    town()
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

  it('is shown with placeholders unexpanded and secrets hidden, and may be sent back so', async () => {
    town()
    project.write('conf/boot/boot.properties', 'job.note=PLANTED-note\n')
    const script = { type: 'text/javascript', source: '1' }
    const context = { script, input: { apiSecret: 'PLANTED-secret', note: '&{job.note}' } }
    const job = { ...everySecond, enabled: false, invokeService: 'script', invokeContext: context }
    project.write('conf/schedule-hush.json', job)
    server = await serve(project)
    const one = await server.call('GET', 'scheduler/job/hush')
    const all = await server.call('GET', 'scheduler/job?_queryFilter=true')
    for (const shown of [one.body, all.body.result[0]])
      expect(shown.invokeContext.input).toEqual({ apiSecret: '********', note: '&{job.note}' })
    const { triggers, nextRunDate, _id, _rev, ...configured } = one.body
    expect((await server.call('PUT', 'scheduler/job/hush', { body: configured })).status).toBe(200)
    expect(JSON.parse(project.read('conf/schedule-hush.json')).invokeContext).toEqual(context)
  })

  it('that is wrong is found by check, with its place', () => {
    town()
    project.write('conf/schedule-bad.json', {
      ...everySecond,
      schedule: '0 0 0 * * *',
      invokeService: 'sync',
    })
    const { code, out } = project.syncline(['check'])
    expect(code).toBe(2)
    expect(out).toMatch(
      /conf\/schedule-bad\.json:\d+:\d+ \/schedule: schedule bad: schedule: .*exactly one of the two must be "\?"/,
    )
  })
})
