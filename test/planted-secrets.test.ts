import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** A secret that goes through everything is found nowhere but where it belongs: in the system that needs it. */
const secret = 'Pl4nted-S3cret'
const script = (source: string) => ({ type: 'text/javascript', source })

let project: TestProject
let server: Server
const answers: string[] = []

async function call(method: string, path: string, body?: unknown) {
  const answer = await server.call(method, path, body === undefined ? {} : { body })
  answers.push(JSON.stringify(answer.body ?? null))
  return answer
}

beforeAll(async () => {
  project = new TestProject()
  for (const name of ['now', 'later']) {
    project.write(`data/${name}.csv`, 'login,secretWord\n')
    const columns = ['login', 'secretWord']
    project.write(
      `conf/provisioner.openicf-${name}.json`,
      csvConnector(name, columns, { headerPassword: 'secretWord' }),
    )
  }
  const text = { type: 'string' }
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        onSync: script("logger.info('{}', syncResults.success)"),
        schema: {
          properties: {
            userName: text,
            key: { ...text, encryption: { key: 'openidm-sym-default' }, scope: 'private' },
            pin: { ...text, secureHash: { algorithm: 'SHA-256' } },
          },
        },
      },
    ],
  })
  const properties = [
    { source: 'userName', target: 'login' },
    { source: 'key', target: 'secretWord' },
  ]
  const mapping = (name: string, more: object) => ({
    ...{ name: `user_${name}`, source: 'managed/user', target: `system/${name}/account`, properties },
    policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
    ...more,
  })
  project.write('conf/sync.json', {
    mappings: [
      mapping('now', {}),
      mapping('later', {
        queuedSync: {
          enabled: true,
          pollingInterval: 20,
          retryDelay: 5,
          maxRetries: 1,
          postRetryAction: 'dead-letter-queue',
        },
      }),
    ],
  })
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const planted = { userName: 'ann', key: secret, pin: secret }

describe('a planted secret', () => {
  it('reaches the systems that are to have it, at once and through the queue', async () => {
    await call('PUT', 'managed/user/ann', planted)
    expect(project.read('data/now.csv')).toContain(secret)
    await expect.poll(() => project.read('data/later.csv')).toContain(secret)
  })

  it('goes through failures, dead letters, runs, plans, explanations and histories', async () => {
    renameSync(project.path('data/later.csv'), project.path('data/away'))
    await call('PUT', 'managed/user/bob', { ...planted, userName: 'bob' })
    await call('PATCH', 'managed/user/ann', [{ operation: 'replace', field: '/key', value: `${secret}2` }])
    const dead = 'sync/queue?_queryFilter=state+eq+"DEAD"'
    await expect.poll(async () => (await call('GET', dead)).body.result?.length, { timeout: 10_000 }).toBe(2)
    for (const { _id } of (await call('GET', dead)).body.result) await call('GET', `sync/queue/${_id}`)
    renameSync(project.path('data/away'), project.path('data/later.csv'))
    for (const path of [
      'managed/user/ann',
      'managed/user?_queryFilter=true',
      'history/managed/user/ann?_queryFilter=true',
    ])
      await call('GET', path)
    const { body } = await call(
      'POST',
      'recon?_action=recon&mapping=user_later&waitForCompletion=true&persistAssociations=true',
    )
    await call('GET', `recon/assoc/${body._id}/entry?_queryFilter=true`)
    await call('POST', 'sync?_action=explain&mapping=user_now&sourceId=ann')
    const { body: plan } = await call('POST', 'recon?_action=plan&mapping=user_now&waitForCompletion=true')
    await call('GET', `recon/${plan._id}/plan?_queryFilter=true`)
    for (const topic of ['sync', 'recon', 'activity', 'access'])
      await call('GET', `audit/${topic}?_queryFilter=true`)
    project.syncline(['plan', 'user_now', '--out', project.path('plan.ndjson')])
    expect(answers.length).toBeGreaterThan(15)
  })

  it('is in no answer', () => {
    for (const answer of answers) expect(answer).not.toContain(secret)
  })

  it('is in no log', () => {
    expect(server.log()).not.toContain(secret)
  })

  it('is in no file but those of the systems', async () => {
    await server.stop()
    const files = readdirSync(project.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/data'))
      .map((entry) => `${entry.parentPath}/${entry.name}`)
    expect(files.some((file) => file.endsWith('syncline.db'))).toBe(true)
    expect(files.some((file) => file.endsWith('plan.ndjson'))).toBe(true)
    for (const file of files) expect(readFileSync(file).includes(secret), file).toBe(false)
  })
})
