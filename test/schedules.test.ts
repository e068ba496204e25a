import { afterEach, describe, expect, it } from 'vitest'
import type { TestProject } from './support/project.ts'
import { everySecond, scheduledTown } from './support/scheduled-town.ts'
import { type Server, serve } from './support/server.ts'

/** Schedules as a server shows them, and the errors of a wrong one (platform §8). */
let project: TestProject
let server: Server | undefined

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = undefined
  project?.[Symbol.dispose]()
})

describe('a schedule', () => {
  it('is shown with placeholders unexpanded and secrets hidden, and may be sent back so', async () => {
    project = scheduledTown()
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
    project = scheduledTown()
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
