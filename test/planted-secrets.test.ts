import { readdirSync, readFileSync, renameSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { csvConnector, openStore, TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/** A secret that goes through everything is found nowhere but where it belongs: in the system that needs it. */
const secret = 'Pl4nted-S3cret'
/** Of a private property that is not encrypted: in the object itself, and nowhere else. */
const hidden = 'Pr1vate-N0te'
/** A password that is refused. */
const short = 'sh0rt-P'
/** Parts of it are quoted by what parses it. */
const any = new RegExp(`${secret.slice(0, 8)}|${hidden}|${short}`)
const administrator = { 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': password }

let project: TestProject
let server: Server
const answers: string[] = []

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await server.call(method, path, { headers, ...(body === undefined ? {} : { body }) })
  answers.push(JSON.stringify(answer.body ?? null))
  return answer
}

beforeAll(async () => {
  project = new TestProject()
  for (const name of ['now', 'later']) {
    project.write(`data/${name}.csv`, 'login,secretWord\n')
    const columns = ['login', 'secretWord']
    // A setting that no CSV system has is a warning, which must not show it either.
    const settings = { headerPassword: 'secretWord', clientSecret: secret }
    const connector = csvConnector(name, columns, settings) as ReturnType<typeof csvConnector> & {
      objectTypes: { account: { properties: Record<string, object> } }
    }
    connector.objectTypes.account.properties.secretWord = {
      ...{ type: 'string', nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
    }
    project.write(`conf/provisioner.openicf-${name}.json`, connector)
  }
  project.write('data/odd.csv', 'login,unicodePwd,door\n')
  const odd = csvConnector('odd', ['login', 'unicodePwd', 'door'], { headerPassword: 'unicodePwd' })
  project.write('conf/provisioner.openicf-odd.json', odd)
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
            note: { ...text, scope: 'private' },
            password: {
              ...{ ...text, encryption: { key: 'openidm-sym-default' }, scope: 'private' },
              policies: [{ policyId: 'minimum-length', params: { minLength: 8 } }],
            },
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
  // Values derived from secrets, under harmless names, and their descriptions.
  const made = [
    { source: 'userName', target: 'login' },
    { source: 'key', target: 'unicodePwd', transform: script('openidm.decrypt(source)') },
    { source: '', target: 'door', transform: script("'<' + source.note + '>'") },
  ]
  const onCreate = `const key = openidm.decrypt(source.key)
    logger.info('made for {}', key)
    if (source.userName === 'bob') throw new Error('cannot take ' + key)`
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
      mapping('odd', { properties: made, onCreate: script(onCreate) }),
    ],
  })
  const handler = (kind: string, config: object = {}) => ({
    class: `org.forgerock.audit.handlers.${kind}AuditEventHandler`,
    config: { name: kind, logDirectory: 'audit', ...config },
  })
  project.write('conf/audit.json', {
    eventHandlers: [handler('Json'), handler('Csv', { security: { enabled: true } }), handler('JsonStdout')],
    eventTopics: {
      activity: { filter: { actions: ['create', 'update', 'patch', 'delete', 'action', 'read'] } },
    },
  })
  project.write('conf/boot/boot.properties', 'openidm.audit.logFullObjects=true\n')
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const planted = { userName: 'ann', key: secret, pin: secret, note: hidden, password: secret }

describe('a planted secret', () => {
  it('reaches the systems that are to have it, at once and through the queue', async () => {
    await call('PUT', 'managed/user/ann', planted)
    expect(project.read('data/now.csv')).toContain(secret)
    await expect.poll(() => project.read('data/later.csv')).toContain(secret)
    expect(project.read('data/odd.csv')).toMatch(`${secret}","<${hidden}>`)
  })

  it('goes through failures, dead letters, runs, plans, explanations and histories', async () => {
    renameSync(project.path('data/later.csv'), project.path('data/away'))
    await call('PUT', 'managed/user/bob', { ...planted, userName: 'bob' })
    await call('PATCH', 'managed/user/ann', [{ operation: 'replace', field: '/key', value: `${secret}2` }])
    const dead = 'sync/queue?_queryFilter=state+eq+"DEAD"'
    await expect.poll(async () => (await call('GET', dead)).body.result?.length).toBe(2)
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
    await call('POST', 'sync?_action=explain&mapping=user_odd&sourceId=ann')
    await call('POST', 'sync?_action=explain&mapping=user_odd&sourceId=bob')
    await call('POST', 'recon?_action=recon&mapping=user_odd&waitForCompletion=true')
    const { body: plan } = await call('POST', 'recon?_action=plan&mapping=user_now&waitForCompletion=true')
    await call('GET', `recon/${plan._id}/plan?_queryFilter=true`)
    project.syncline(['history', 'managed/user/ann'])
    await call('GET', `recon/${plan._id}/plan/summary?format=html`)
    project.syncline(['plan', 'user_now', '--out', project.path('plan.ndjson')])
    project.syncline(['show', project.path('plan.ndjson')])
    expect(answers.length).toBeGreaterThan(14)
  })

  it('goes through everything else that a request has, and through what is refused', async () => {
    const account = 'system/now/account'
    await call('GET', `info/version?password=${secret}&note=${hidden}`)
    await call('GET', `managed/user?_queryFilter=${encodeURIComponent(`note eq "${hidden}"`)}`)
    await call('POST', `${account}?_action=authenticate&username=ann&password=${secret}`)
    await call('POST', `${account}?_action=authenticate`, { username: 'nobody', password: secret })
    await call('GET', 'info/version', undefined, {
      ...{ Cookie: `session-jwt=${secret}`, 'X-OpenIDM-Reauth-Password': secret, 'X-Api-Token': secret },
    })
    const basic = Buffer.from(`openidm-admin:${secret}`).toString('base64')
    await call('GET', 'info/version', undefined, { 'X-OpenIDM-Password': secret })
    await server.call('GET', 'info/version', { as: '', headers: { Authorization: `Basic ${basic}` } })
    await call('PATCH', `${account}/ann`, [
      { operation: 'replace', field: 'secretWord', value: `${secret}3` },
    ])
    await call('PUT', 'managed/user/cid', { ...planted, userName: [secret], key: { deep: secret } })
    await call('PUT', 'managed/user/dan', { ...planted, password: short })
    await call('POST', 'managed/user?_action=create', [planted])
    await call('PATCH', 'managed/user/ann', [{ operation: 'increment', field: 'note', value: secret }])
    await call('PATCH', 'managed/user/ann', [{ operation: 'remove', field: 'password', value: secret }])
    await call('PUT', 'managed/user/eve', planted)
    await call('DELETE', 'managed/user/eve')
    await call('POST', 'audit/activity', {
      ...{ objectId: 'managed/user/ann', operation: 'UPDATE', after: { password: secret } },
      before: { key: { $crypto: { value: secret } } },
    })
    const broken = await fetch(`${server.url}/managed/user/fay`, {
      ...{ method: 'PUT', body: `{"password": ${secret}}` },
      headers: { ...administrator, 'Content-Type': 'application/json' },
    })
    answers.push(await broken.text())
    expect(broken.status).toBe(400)
    for (const topic of ['sync', 'recon', 'activity', 'access', 'authentication'])
      await call('GET', `audit/${topic}?_queryFilter=true`)
    await call('GET', 'history/managed/user/ann?_queryFilter=true')
    await call('PATCH', 'config/provisioner.openicf/now', [
      { operation: 'replace', field: '/configurationProperties/clientSecret', value: `${secret}4` },
    ])
    await call('GET', 'config/provisioner.openicf/now')
    for (const path of ['config', 'config/history', 'audit/config'])
      await call('GET', `${path}?_queryFilter=true`)
  })

  it('is in no answer', () => {
    for (const answer of answers) expect(answer).not.toMatch(any)
  })

  it('is in no log', () => {
    expect(server.log()).toContain('made for ********')
    expect(server.log()).not.toMatch(any)
  })

  it('is in no file but those of the systems', async () => {
    await server.stop()
    const files = readdirSync(project.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('/data'))
      .map((entry) => `${entry.parentPath}/${entry.name}`)
    expect(files.some((file) => file.endsWith('syncline.db'))).toBe(true)
    for (const name of ['plan.ndjson', 'access.audit.json', 'activity.csv', 'authentication.csv'])
      expect(
        files.some((file) => file.endsWith(name)),
        name,
      ).toBe(true)
    expect(server.out()).toMatch(/"topic":"access"/)
    expect(server.out()).not.toMatch(any)
    for (const file of files) {
      const bytes = readFileSync(file)
      for (const one of [secret, short]) expect(bytes.includes(one), `${one} in ${file}`).toBe(false)
      if (!/syncline\.db/.test(file)) expect(bytes.includes(hidden), `${hidden} in ${file}`).toBe(false)
    }
  })

  it('is, if private and in clear, in the store of objects and in the queue', () => {
    using store = openStore(project)
    const tables = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const holding = tables
      .map(({ name }) => String(name))
      .filter((name) => JSON.stringify(store.prepare(`SELECT * FROM ${name}`).all()).includes(hidden))
    expect(holding.filter((name) => !/^(objects_\d+|sync_queue)$/.test(name))).toEqual([])
    expect(holding).not.toEqual([])
  })
})
