/** A project with the traits of OpenIDM's stock configuration: it is served as it is, and users can be made in it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

let project: TestProject
let server: Server

const text = { type: 'string' }
const file = (name: string) => ({ type: 'text/javascript', file: name })
const relationship = (path: string, reversePropertyName: string) => ({
  ...{ type: 'relationship', validate: true, reverseRelationship: true, reversePropertyName },
  properties: { _ref: text, _refProperties: { type: 'object', properties: { _id: text } } },
  resourceCollection: [
    { path, label: path, query: { queryFilter: 'true', fields: ['_id'], sortKeys: ['_id'] } },
  ],
})
const many = (items: object) => ({ type: 'array', returnByDefault: false, items })

const user = {
  name: 'user',
  onCreate: script(
    "require('ui/onCreateUser').setDefaultFields(object);require('ui/onCreateUser').createIdpRelationships(object);require('roles/conditionalRoles').updateConditionalGrantsForUser(object, 'roles');",
  ),
  onUpdate: script(
    "require('ui/onUpdateUser').preserveLastSync(object, oldObject, request);require('ui/onUpdateUser').updateIdpRelationships(object);require('roles/conditionalRoles').updateConditionalGrantsForUser(object, 'roles');",
  ),
  onDelete: file('ui/onDelete-user-cleanup.js'),
  postCreate: file('roles/postOperation-roles.js'),
  actions: {
    resetPassword: {
      ...script("require('ui/resetPassword').sendMail(object, subject, message, rules, length);"),
      globals: {
        ...{ subject: 'New password', message: '<p>{{object.userName}}: {{password}}</p>' },
        ...{ rules: [{ rule: 'UPPERCASE', minimum: 1 }], length: 16 },
      },
    },
  },
  schema: {
    required: ['userName'],
    properties: {
      userName: { ...text, searchable: 'true' },
      accountStatus: text,
      roles: many(relationship('managed/role', 'members')),
      authzRoles: many(relationship('repo/internal/role', 'authzMembers')),
      idps: many(relationship('managed/acme', 'user')),
      idpData: { type: 'object' },
    },
  },
}
const role = {
  name: 'role',
  onDelete: file('roles/onDelete-roles.js'),
  onSync: script(
    "require('roles/onSync-roles').syncUsersOfRoles(resourceName, oldObject, newObject, ['members']);",
  ),
  schema: { properties: { name: text, members: many(relationship('managed/user', 'roles')) } },
}
const acme = {
  name: 'acme',
  schema: { properties: { name: text, user: relationship('managed/user', 'idps') } },
}
const authentication = {
  serverAuthContext: {
    authModules: [
      {
        name: 'STATIC_USER',
        enabled: true,
        properties: {
          ...{ queryOnResource: 'repo/internal/user', username: 'anonymous', password: 'anonymous' },
          defaultUserRoles: ['openidm-reg'],
        },
      },
    ],
  },
}

beforeAll(async () => {
  project = new TestProject()
  project.write('conf/managed.json', { objects: [user, role, acme] })
  project.write('conf/authentication.json', authentication)
  project.write('conf/endpoint-linkedView.json', {
    ...{ context: 'endpoint/linkedView/*', type: 'text/javascript' },
    source: "require('linkedView').fetch(request.resourcePath);",
  })
  project.write('conf/endpoint-tasks.json', file('workflow/gettasksview.js'))
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

async function create(id: string, more: object = {}) {
  return server.call('PUT', `managed/user/${id}`, { body: { userName: id, ...more } })
}

describe('a stock project', () => {
  it('has warnings where something is not there, and no errors', () => {
    const { out, err, code } = project.syncline(['check'])
    expect([code, `${out}${err}`]).toEqual([0, expect.stringContaining('endpoint/tasks answers 501')])
    expect(`${out}${err}`).toMatch(/searchable: warning: expected true or false, found "true"/)
  })

  it('keeps files that nothing reads as they are, secrets included: another server may read them', () => {
    expect(JSON.parse(project.read('conf/authentication.json'))).toEqual(authentication)
  })

  it('has its key replaced, whatever another server has encrypted in its files', () => {
    const foreign = {
      type: 'x-simple-encryption',
      value: { cipher: 'AES/CBC/PKCS5Padding', key: 'openidm-sym-default', data: 'AAAA', iv: 'AAAA' },
    }
    const jdbc = { jdbcUrl: 'jdbc:x', password: { $crypto: foreign } }
    project.write('conf/datasource.jdbc-default.json', jdbc)
    const { code, err } = project.syncline(['key', 'rotate'])
    expect([code, err]).toEqual([0, expect.not.stringContaining('error')])
    expect(JSON.parse(project.read('conf/datasource.jdbc-default.json'))).toEqual(jdbc)
  })

  it('answers 501 at an endpoint whose script is not there', async () => {
    const { status, body } = await server.call('GET', 'endpoint/tasks')
    expect([status, body.message]).toEqual([501, expect.stringContaining('workflow/gettasksview.js')])
  })
})

describe('the anonymous user of a stock configuration', () => {
  const as = (name: string, password: string) => ({
    headers: { 'X-OpenIDM-Username': name, 'X-OpenIDM-Password': password },
    as: '',
  })
  it('may ask who it is and whether the server is alive, and nothing else', async () => {
    const { body } = await server.call('GET', 'info/login', as('anonymous', 'anonymous'))
    expect(body).toMatchObject({
      authenticationId: 'anonymous',
      authorization: { roles: ['openidm-reg'] },
    })
    const refused = await server.call('GET', 'managed/user?_queryFilter=true', as('anonymous', 'anonymous'))
    expect(refused.status).toBe(403)
    expect((await server.call('GET', 'info/login', as('anonymous', 'other'))).status).toBe(401)
  })
})

describe('a new user', () => {
  it('is active, and may do what everybody may who has an account', async () => {
    expect(await create('ann')).toMatchObject({ status: 201, body: { accountStatus: 'active' } })
    const { body } = await server.call('GET', 'managed/user/ann?_fields=authzRoles')
    expect(body.authzRoles).toMatchObject([{ _ref: 'repo/internal/role/openidm-authorized' }])
  })

  it('keeps what it comes with', async () => {
    const authzRoles = [{ _ref: 'internal/role/openidm-admin' }]
    await create('ben', { accountStatus: 'inactive', authzRoles })
    const { body } = await server.call('GET', 'managed/user/ben?_fields=accountStatus,authzRoles')
    expect(body).toMatchObject({ accountStatus: 'inactive', authzRoles })
    expect(body.authzRoles).toHaveLength(1)
  })

  it('is shown with what it is linked to', async () => {
    await create('dee')
    expect(await server.call('GET', 'endpoint/linkedView/managed/user/dee')).toMatchObject({
      status: 200,
      body: { userName: 'dee', linkedTo: [] },
    })
  })
})

describe('identity providers of a user', () => {
  const idpData = (subject: string, enabled = true) => ({
    acme: { subject, enabled, rawProfile: { name: subject } },
  })
  const idps = async (id: string) => {
    const { body } = await server.call('GET', `managed/user/${id}/idps?_queryFilter=true`)
    return body.result.map(({ _ref }: { _ref: string }) => _ref)
  }

  it('have objects that come and go with them', async () => {
    await create('cat', { idpData: idpData('c1') })
    expect(await idps('cat')).toEqual(['managed/acme/c1'])
    expect((await server.call('GET', 'managed/acme/c1')).body).toMatchObject({ name: 'c1' })

    await create('cat', { idpData: idpData('c2') })
    expect(await idps('cat')).toEqual(['managed/acme/c2'])
    expect((await server.call('GET', 'managed/acme/c1')).status).toBe(404)

    await create('cat', { idpData: idpData('c2', false) })
    expect(await idps('cat')).toEqual([])

    await create('cat', { idpData: idpData('c3') })
    expect((await server.call('DELETE', 'managed/user/cat')).status).toBe(200)
    expect((await server.call('GET', 'managed/acme/c3')).status).toBe(404)
  })
})

describe('the action resetPassword', () => {
  it('changes nothing without a mail server', async () => {
    await create('eve')
    const before = (await server.call('GET', 'managed/user/eve')).body
    expect((await server.call('POST', 'managed/user/eve?_action=resetPassword')).status).toBe(200)
    expect((await server.call('GET', 'managed/user/eve')).body).toEqual(before)
  })
})
