import { expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { password, serve } from './support/server.ts'

/** A server whose clock is set while it runs: an hour back, then years forward, and right again (platform §8). */
const clock = `
  import { readFileSync } from 'node:fs'
  const RealDate = Date
  const offset = () => {
    try {
      return Number(readFileSync(process.env.CLOCK_OFFSET, 'utf8')) || 0
    } catch {
      return 0
    }
  }
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      super(...(given.length === 0 ? [RealDate.now() + offset()] : given))
    }
    static now() {
      return RealDate.now() + offset()
    }
  }`

const hour = 3_600_000

it('goes on with schedules, retries and runs, without a storm, and says so', async () => {
  using project = new TestProject()
  project.write('clock.mjs', clock)
  project.write('conf/managed.json', {
    objects: ['user', 'account', 'log', 'flag'].map((name) => ({ name })),
  })
  project.write('conf/schedule-often.json', {
    ...{ enabled: true, type: 'cron', schedule: '* * * * * ?', invokeService: 'script' },
    invokeContext: { script: script("openidm.create('managed/log', null, {})") },
  })
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'm', source: 'managed/user', target: 'managed/account' },
        properties: [{ source: '_id', target: '_id' }],
        onCreate: script("if (!openidm.read('managed/flag/up')) throw 'the target is down'"),
        queuedSync: { enabled: true, retryDelay: 500 },
      },
    ],
  })
  await using server = await serve(project, {
    SYNCLINE_ADMIN_PASSWORD: password,
    NODE_OPTIONS: `--import ${project.path('clock.mjs')}`,
    CLOCK_OFFSET: project.path('offset'),
  })
  const count = async (type: string) =>
    (await server.call('GET', `managed/${type}?_queryFilter=true&_fields=_id`)).body.resultCount as number
  const put = (path: string) => server.call('PUT', `managed/${path}`, { body: {} })
  await put('user/a')
  for (const offset of [-hour, 10 * 365 * 24 * hour, 0]) {
    const before = await count('log')
    project.write('offset', String(offset))
    await expect.poll(() => count('log')).toBeGreaterThan(before + 2)
    expect((await count('log')) - before).toBeLessThan(30)
  }
  await put('flag/up')
  await expect.poll(() => count('account')).toBe(1)
  const run = await server.call('POST', 'recon?_action=recon&mapping=m&waitForCompletion=true')
  expect(run.body).toMatchObject({ state: 'SUCCESS' })
  const { body } = await server.call('GET', `recon/${run.body._id}`)
  expect(body.duration).toBeLessThan(60_000)
  for (const direction of ['back by 3600 s', 'forward by', 'back by 3153'])
    expect(server.log() + server.out()).toContain(`jumped ${direction}`)
}, 60_000)
