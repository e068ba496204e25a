import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../src/model/filter/filter.ts'
import type { JsonObject } from '../src/model/json.ts'
import { parsePatch } from '../src/model/patch.ts'
import type { RequestContext, Resources } from '../src/router/resources.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { environment } from './support/environment.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

/** What callers from outside may do by `conf/access.json` (platform §10). */
const rules = [
  {
    pattern: '*',
    roles: 'internal/role/openidm-admin',
    methods: '*',
    actions: '*',
    excludePatterns: 'repo,repo/*',
    customAuthz: 'disallowQueryExpression()',
  },
  { pattern: 'info/*', roles: '*', methods: 'read', actions: '*' },
  { pattern: 'managed/note/*', roles: 'openidm-authorized, auditor', methods: 'read' },
  {
    pattern: 'managed/user/*',
    roles: 'openidm-authorized',
    methods: 'read,patch',
    customAuthz: "ownDataOnly() && (request.method === 'read' || restrictPatchToFields('mail'))",
  },
  { pattern: 'managed/user', roles: 'openidm-authorized', methods: 'action', actions: 'triggerSyncCheck' },
  {
    pattern: 'managed/user/*',
    roles: 'hr',
    methods: 'patch',
    customAuthz: "onlyEditableManagedObjectProperties('user', ['shoe'])",
  },
  { pattern: 'managed/user', roles: 'broken', methods: '*', customAuthz: 'noSuchFunction()' },
]

let project: TestProject
let application: Application
let resources: Resources

beforeAll(async () => {
  project = new TestProject()
  const properties = {
    mail: { type: 'string', userEditable: true },
    pay: { type: 'number' },
    shoe: { type: 'number' },
  }
  project.write('conf/managed.json', {
    objects: [{ name: 'user', schema: { properties } }, { name: 'note' }],
  })
  project.write('conf/access.json', { configs: rules })
  application = await open()
  resources = application.resources
  for (const id of ['ann', 'ben'])
    await resources.create('managed/user', id, { mail: 'a@x', pay: 1 }, application.administrator)
  await resources.create('managed/note', 'n', {}, application.administrator)
})
afterAll(async () => {
  await application[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

function open(): Promise<Application> {
  return openApplication({
    ...{ projectFolder: project.folder, dataFolder: project.path('.syncline') },
    ...{ environment, flags: {}, log: () => {} },
  })
}

const as = (userId: string, ...roles: string[]): RequestContext => ({
  ...{ external: true, transactionId: 't' },
  ...{ userId, roles },
})
const read = (path: string, who: RequestContext) => resources.read(path, who)
const patch = (path: string, field: string, value: unknown, who: RequestContext) =>
  resources.patch(path, undefined, parsePatch([{ operation: 'replace', field, value } as JsonObject]), who)
const act = (path: string, name: string, who: RequestContext) =>
  resources.action(path, { name, content: null, parameters: { _queryFilter: 'true' } }, who)

const ann = as('ann', 'openidm-authorized')

describe('the rules grant', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['an administrator nearly everything', () => read('managed/user/ben', as('x', 'openidm-admin'))],
    ['anybody what rules for * allow', () => read('info/version', as('x'))],
    ['one role of several', () => read('managed/note/n', as('x', 'auditor'))],
    ['users their own data', () => read('managed/user/ann', ann)],
    ['users some of their own fields', () => patch('managed/user/ann', '/mail', 'b@x', ann)],
    ['single actions', () => act('managed/user', 'triggerSyncCheck', ann)],
    ['editable properties', () => patch('managed/user/ben', '/mail', 'c@x', as('x', 'hr'))],
    ['named properties', () => patch('managed/user/ben', '/shoe', 44, as('x', 'hr'))],
    ['calls from inside everything', () => read('managed/user/ben', { ...ann, external: false })],
  ])('%s', async (_what, attempt) => {
    await expect(attempt()).resolves.toBeDefined()
  })
})

describe('the rules do not grant', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      'what is excluded',
      () => resources.query('repo/link', { filter: everything }, as('x', 'openidm-admin')),
    ],
    ['other methods', () => resources.delete('managed/note/n', undefined, as('x', 'auditor'))],
    ['other roles', () => read('managed/note/n', as('x', 'stranger'))],
    ['other people’s data', () => read('managed/user/ben', ann)],
    ['other fields', () => patch('managed/user/ann', '/pay', 2, ann)],
    ['other actions', () => act('managed/user', 'patch', ann)],
    ['properties that are not editable', () => patch('managed/user/ben', '/pay', 2, as('x', 'hr'))],
    [
      'anything by an expression that fails',
      () => resources.query('managed/user', { filter: everything }, as('x', 'broken')),
    ],
    ['anybody the set', () => resources.query('managed/user', { filter: everything }, ann)],
  ])('%s', async (_what, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('an excluded path', () => {
  it('is refused in every spelling, and other paths are not', async () => {
    using own = new TestProject()
    own.write('conf/managed.json', { objects: [{ name: 'secret' }, { name: 'note' }, { name: 'free' }] })
    own.write('conf/access.json', {
      configs: [
        {
          pattern: '*',
          roles: 'openidm-admin',
          excludePatterns:
            'managed/secret/*,managed/secret,config/sync,system/hr/*,endpoint/danger,managed/note/a b,managed/note/%63',
        },
      ],
    })
    own.write('conf/sync.json', { mappings: [] })
    own.write('data/hr.csv', 'uid\na\n')
    own.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid']))
    const endpoint = { type: 'text/javascript', source: '({ done: true })' }
    own.write('conf/endpoint-danger.json', endpoint)
    own.write('conf/endpoint-free.json', endpoint)
    await using server = await serve(own)
    const statuses = async (...paths: string[]) => {
      const found: Record<string, number> = {}
      for (const path of paths) found[path] = (await server.call('GET', path)).status
      return found
    }
    expect(
      await statuses(
        ...['managed/secret?_queryFilter=true', 'managed/%73ecret?_queryFilter=true'],
        ...['%6danaged/secret?_queryFilter=true', 'managed/secret/?_queryFilter=true'],
        ...['managed/%73ecret/x', 'config/sync', 'config/%73ync', 'config/%73%79%6E%63'],
        ...['system/hr/account?_queryFilter=true', 'system/%68r/account?_queryFilter=true'],
        ...['endpoint/danger', 'endpoint/%64anger', '%65ndpoint/danger', 'endpoint/danger/'],
        ...['managed/note/a%20b', 'managed/note/%61%20b', 'managed/note/c'],
      ),
    ).toSatisfy((found: Record<string, number>) => Object.values(found).every((status) => status === 403))
    expect(
      await statuses(
        ...['managed/%66ree?_queryFilter=true', '%6danaged/free?_queryFilter=true', 'endpoint/%66ree'],
        // Some of the notes are excluded.
        ...['managed/note?_queryFilter=true', 'managed/%6eote?_queryFilter=true'],
        ...[
          'managed/%2573ecret?_queryFilter=true',
          'managed%2Fsecret?_queryFilter=true',
          'schema/managed%2Fsecret',
        ],
        ...['managed/%zz', 'managed/%ff', 'managed//secret', 'history/managed%2Fsecret/x?_queryFilter=true'],
      ),
    ).toEqual({
      'managed/%66ree?_queryFilter=true': 200,
      '%6danaged/free?_queryFilter=true': 200,
      'managed/note?_queryFilter=true': 403,
      'managed/%6eote?_queryFilter=true': 403,
      'endpoint/%66ree': 200,
      // Decoded once: no type has this name.
      'managed/%2573ecret?_queryFilter=true': 404,
      'managed%2Fsecret?_queryFilter=true': 404,
      'schema/managed%2Fsecret': 404,
      'managed/%zz': 400,
      'managed/%ff': 400,
      'managed//secret': 400,
      'history/managed%2Fsecret/x?_queryFilter=true': 400,
    })
    for (const id of ['a/b', 'a%2Fb', '50%']) {
      const path = `managed/note/${encodeURIComponent(id)}`
      const { status, headers, body } = await server.call('PUT', path, { body: { n: 1 } })
      expect([status, body._id, headers.get('location')]).toEqual([201, id, `${server.url}/${path}`])
      expect((await server.call('GET', path)).body).toMatchObject({ _id: id, n: 1 })
    }
    expect((await server.call('GET', 'managed/note/a%2fb')).body._id).toBe('a/b')
  })
})

describe('one’s own data', () => {
  it.each([
    ['ann@example.com', 'managed/user/ann@example.com', true],
    ['ann@example.com', 'managed/user/ann%40example.com', true],
    ['ann@example.com', '%6danaged/user/%61nn@example.com', true],
    ['ann@example.com', 'managed/user/ann%2540example.com', false],
    ['a/b', 'managed/user/a%2fb', true],
    ['a/b', 'managed/user/a%252Fb', false],
  ])('of %s are %s: %s', async (user, path, own) => {
    const outcome = await read(path, as(user, 'openidm-authorized')).catch(({ code }) => code)
    expect(outcome).toBe(own ? 'NOT_FOUND' : 'FORBIDDEN')
  })
})

describe('a broken conf/access.json', () => {
  it('names the invalid expression, and grants nothing by it', async () => {
    using broken = new TestProject()
    broken.write('conf/access.json', { configs: [{ pattern: '*', customAuthz: 'a b' }] })
    const { code, out, err } = broken.syncline(['check'])
    expect(out + err).toMatch(/conf\/access\.json:\d+:\d+ \/configs\/0\/customAuthz: not an expression/)
    expect(code).not.toBe(0)
  })
})
