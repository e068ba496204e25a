// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these placeholders are the configuration's
import { afterEach, describe, expect, it } from 'vitest'
import { everything } from '../src/model/filter/filter.ts'
import type { JsonObject } from '../src/model/json.ts'
import { parsePatch } from '../src/model/patch.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { script } from '../src/testing/script.ts'
import { environment } from './support/environment.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Tasks that run once for each object (platform §8). */
let project: TestProject
let server: Server | undefined

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = undefined
  project[Symbol.dispose]()
})

const logs = "openidm.create('managed/log', null, { user: objectID, name: input.name });"
const taskState = { started: '/sunset/task-started', completed: '/sunset/task-completed' }

function sunset(source: string, scan: object = {}, more: object = {}): object {
  return {
    ...{ enabled: false, type: 'cron', schedule: '0 0 0 1 1 ? 2099', invokeService: 'taskscanner' },
    invokeContext: {
      waitForCompletion: true,
      numberOfThreads: 3,
      scan: {
        _queryFilter: '((/sunset/date lt "${Time.now}") AND !(${taskState.completed} pr))',
        object: 'managed/user',
        taskState,
        recovery: { timeout: '2s' },
        ...scan,
      },
      task: { script: script(source) },
      ...more,
    },
  }
}

function town(schedule: object): void {
  project = new TestProject()
  project.write('conf/managed.json', { objects: ['user', 'log', 'flag'].map((name) => ({ name })) })
  project.write('conf/schedule-sunset.json', schedule)
}

const open = () =>
  openApplication({
    ...{ projectFolder: project.folder, dataFolder: project.path('.syncline') },
    ...{ environment, flags: {}, log: () => {} },
  })
const yesterday = '2020-01-01T00:00:00Z'

async function addUsers({ resources, administrator }: Application, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const content = { name: `n${index}`, sunset: { date: yesterday } }
    await resources.create('managed/user', `u${index}`, content, administrator)
  }
}

const execute = ({ resources, administrator }: Application, name = 'sunset') =>
  resources.action('taskscanner', { name: 'execute', content: null, parameters: { name } }, administrator)
const all = async ({ resources, administrator }: Application, path: string) =>
  (await resources.query(path, { filter: everything }, administrator)).result as readonly JsonObject[]

describe('a task scan', () => {
  it('with the query of the samples takes whose date is past and whose task has not completed', async () => {
    const due = { property: '/sunset/date', condition: { before: '${Time.now}' } }
    town(sunset(logs, { _queryFilter: undefined, _queryId: 'scan-tasks', ...due }))
    await using application = await open()
    await addUsers(application, 3)
    const { resources, administrator } = application
    for (const [id, content] of Object.entries({
      later: { sunset: { date: '2099-01-01T00:00:00Z' } },
      done: { sunset: { date: yesterday, 'task-completed': yesterday } },
      never: {},
    }))
      await resources.create('managed/user', id, content, administrator)
    await execute(application)
    await execute(application)
    expect((await all(application, 'managed/log')).map(({ user }) => user).toSorted()).toEqual([
      'u0',
      'u1',
      'u2',
    ])
  })

  it('runs its task once for each object that is due, and says so on the object', async () => {
    town(sunset(logs))
    await using application = await open()
    await addUsers(application, 250)
    const { resources, administrator } = application
    await resources.create(
      'managed/user',
      'later',
      { sunset: { date: '2099-01-01T00:00:00Z' } },
      administrator,
    )
    const { _id } = (await execute(application)) as { _id: string }
    expect(await resources.read(`taskscanner/${_id}`, administrator)).toMatchObject({
      progress: { state: 'COMPLETED', total: 250, processed: 250, successes: 250, failures: 0 },
      ended: expect.any(String),
    })
    await execute(application)
    const users = (await all(application, 'managed/log')).map(({ user }) => user)
    expect(new Set(users).size).toBe(250)
    expect(users).toHaveLength(250)
    expect(await resources.read('managed/user/u0', administrator)).toMatchObject({
      sunset: { 'task-started': expect.any(String), 'task-completed': expect.any(String) },
    })
    expect(await resources.read('managed/user/later', administrator)).not.toHaveProperty(
      'sunset.task-started',
    )
  })

  it('of which two run at once on one store runs no object twice', async () => {
    town(sunset(logs))
    await using application = await open()
    await using another = await open()
    await addUsers(application, 120)
    await Promise.all([execute(application), execute(another), execute(application)])
    const users = (await all(application, 'managed/log')).map(({ user }) => user)
    expect(users).toHaveLength(120)
    expect(new Set(users).size).toBe(120)
  })

  it('takes at most so many objects, and those first whose condition holds', async () => {
    const soon = { property: '/sunset/date', condition: { before: '${Time.now + 1d}' }, _queryFilter: 'true' }
    town(sunset(logs, soon, { maxRecords: 7 }))
    await using application = await open()
    await addUsers(application, 20)
    const { resources, administrator } = application
    for (const [id, date] of [
      ['a', new Date(Date.now() + 3_600_000).toISOString()],
      ['b', '2099-01-01T00:00:00Z'],
    ])
      await resources.create('managed/user', id, { name: id ?? '', sunset: { date } }, administrator)
    for (let run = 1; run <= 3; run++) {
      await execute(application)
      expect(await all(application, 'managed/log')).toHaveLength(run * 7)
    }
    await execute(application)
    const names = (await all(application, 'managed/log')).map(({ user }) => user)
    expect(names).toContain('a')
    expect(names).not.toContain('b')
  })

  it.each([
    ['a filter', {}],
    [
      'a property',
      { _queryFilter: 'sunset pr', property: '/sunset/date', condition: { before: '${Time.now}' } },
    ],
  ])('is due at its instant, by a filter as by a property: %s', async (_, scan) => {
    town(sunset(logs, scan))
    await using application = await open()
    const hour = 3_600_000
    /** What a clock of the zone shows so many hours from now. */
    const at = (hours: number, zone: number) => {
      const local = new Date(Date.now() + (hours + zone) * hour).toISOString().slice(0, 19)
      return `${local}${zone < 0 ? '-' : '+'}${String(Math.abs(zone)).padStart(2, '0')}:00`
    }
    const dates = {
      ...{ ahead: at(1, -5), past: at(-1, 5), utc: at(-1, 0), west: at(-1, -10), east: at(1, 13) },
      ...{ day: '2020-01-01', local: '2020-01-01T00:00:00', late: '2099-01-01', words: 'whenever' },
    }
    for (const [id, date] of Object.entries(dates))
      await application.resources.create('managed/user', id, { sunset: { date } }, application.administrator)
    await execute(application)
    const due = (await all(application, 'managed/log')).map(({ user }) => user)
    expect(due.toSorted()).toEqual(['day', 'local', 'past', 'utc', 'west'])
  })

  it('leaves an object whose task fails started, and tries again after the timeout', async () => {
    const source = `if (!openidm.read('managed/flag/ok')) throw 'not yet'; ${logs}`
    town(sunset(source, { recovery: { timeout: '1h' } }))
    await using application = await open()
    await addUsers(application, 1)
    const { resources, administrator } = application
    await execute(application)
    await resources.create('managed/flag', 'ok', {}, administrator)
    await execute(application)
    expect(await all(application, 'managed/log')).toEqual([])
    const twoHoursAgo = new Date(Date.now() - 7_200_000).toISOString()
    const patch = [{ operation: 'replace', field: '/sunset/task-started', value: twoHoursAgo }]
    await resources.patch('managed/user/u0', undefined, parsePatch(patch), administrator)
    await execute(application)
    expect(await all(application, 'managed/log')).toMatchObject([{ user: 'u0' }])
    const runs = await all(application, 'taskscanner')
    expect(runs.map(({ progress }) => progress)).toMatchObject([
      { failures: 1, successes: 0 },
      { total: 0 },
      { successes: 1 },
    ])
  })

  it('can be cancelled: what runs ends, nothing else begins', async () => {
    const source = `${logs} var end = Date.now() + 300; while (Date.now() < end);`
    town(sunset(source, {}, { waitForCompletion: false, numberOfThreads: 1 }))
    await using application = await open()
    await addUsers(application, 30)
    const { _id } = (await execute(application)) as { _id: string }
    await expect.poll(() => all(application, 'managed/log')).not.toEqual([])
    const { resources, administrator } = application
    const cancel = { name: 'cancel', content: null, parameters: {} }
    expect(await resources.action(`taskscanner/${_id}`, cancel, administrator)).toEqual({
      ...{ _id, action: 'cancel', status: 'SUCCESS' },
    })
    const { progress } = (await resources.read(`taskscanner/${_id}`, administrator)) as JsonObject
    expect(progress).toMatchObject({ state: 'CANCELLED' })
    const done = (progress as { processed: number }).processed
    expect(done).toBeLessThan(30)
    expect(await all(application, 'managed/log')).toHaveLength(done)
  })
})

describe('a schedule', () => {
  it('runs a task scan by itself', async () => {
    town({
      ...sunset(logs),
      enabled: true,
      schedule: '* * * * * ?',
      invokeService: 'org.forgerock.openidm.taskscanner',
    })
    server = await serve(project)
    await server.call('PUT', 'managed/user/u', { body: { name: 'n', sunset: { date: yesterday } } })
    const count = async () =>
      (await (server as Server).call('GET', 'managed/log?_queryFilter=true')).body.resultCount
    await expect.poll(count).toBe(1)
  })
  it('whose task scan is wrong is an error with its place', () => {
    town(sunset(logs, { taskState: {} }))
    const { code, out, err } = project.syncline(['check'])
    expect(out + err).toMatch(
      /conf\/schedule-sunset\.json:\d+:\d+ \/invokeContext\/scan\/taskState\/started: /,
    )
    expect(code).not.toBe(0)
  })
  it('must be there to be executed', async () => {
    town(sunset(logs))
    server = await serve(project)
    expect((await server.call('POST', 'taskscanner?_action=execute&name=other')).status).toBe(404)
    expect((await server.call('POST', 'taskscanner?_action=guess')).status).toBe(400)
  })
})
