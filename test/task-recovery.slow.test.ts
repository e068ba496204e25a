// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these placeholders are the configuration's
/** Slow: a server is killed, and the timeout of what it was doing is waited for. */
import { afterEach, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

let project: TestProject
let server: Server | undefined

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const logs = "openidm.create('managed/log', null, { user: objectID, name: input.name });"
const yesterday = '2020-01-01T00:00:00Z'

function town(source: string): void {
  project = new TestProject()
  project.write('conf/managed.json', { objects: ['user', 'log', 'flag'].map((name) => ({ name })) })
  project.write('conf/schedule-sunset.json', {
    ...{ enabled: false, type: 'cron', schedule: '0 0 0 1 1 ? 2099', invokeService: 'taskscanner' },
    invokeContext: {
      waitForCompletion: false,
      numberOfThreads: 3,
      scan: {
        _queryFilter: '((/sunset/date lt "${Time.now}") AND !(${taskState.completed} pr))',
        object: 'managed/user',
        taskState: { started: '/sunset/task-started', completed: '/sunset/task-completed' },
        recovery: { timeout: '2s' },
      },
      task: { script: script(source) },
    },
  })
}

describe('a process that dies in the middle of a task', () => {
  it('leaves its object to the next one, after the timeout and not before', async () => {
    // Waiting for `openidm` does not count for the time that a script may take.
    const source = `${logs} while (!openidm.read('managed/flag/quick'));`
    town(source)
    const first = await serve(project)
    server = first
    await first.call('PUT', 'managed/user/u', { body: { name: 'n', sunset: { date: yesterday } } })
    await first.call('POST', 'taskscanner?_action=execute&name=schedule/sunset')
    const logged = async (at: Server) =>
      (await at.call('GET', 'managed/log?_queryFilter=true')).body.resultCount
    await expect.poll(() => logged(first)).toBe(1)
    const started = async (at: Server) =>
      Date.parse((await at.call('GET', 'managed/user/u')).body.sunset['task-started'])
    const before = await started(first)
    await first.stop('SIGKILL')

    const second = await serve(project)
    server = second
    await second.call('PUT', 'managed/flag/quick', { body: {} })
    const again = () => second.call('POST', 'taskscanner?_action=execute&name=sunset')
    await expect
      .poll(
        async () => {
          await again()
          return logged(second)
        },
        { interval: 200 },
      )
      .toBe(2)
    expect((await started(second)) - before).toBeGreaterThanOrEqual(2000)
    const user = () => second.call('GET', 'managed/user/u')
    await expect.poll(async () => (await user()).body.sunset['task-completed']).toEqual(expect.any(String))
    await again()
    expect(await logged(second)).toBe(2)
  })
})
