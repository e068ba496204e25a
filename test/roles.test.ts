/** Roles, assignments and relationships over REST, synchronized to other systems (platform §6.4, §11). */
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { lastingFolder } from '../src/testing/folder.ts'
import { script } from '../src/testing/script.ts'
import { csvConnector, TestProject } from './support/project.ts'
import {
  array,
  fill,
  grant,
  managed,
  ref,
  revoke,
  rolesClient,
  rolesProject,
  type Shape,
  served,
  text,
  virtual,
} from './support/roles.ts'
import { type Server, serve } from './support/server.ts'

let project: TestProject
let server: Server

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const { put, patch, get, query, rows } = rolesClient(() => ({ project, server }))

describe.each(Object.keys(virtual) as Shape[])('roles whose members are found %s', (shape) => {
  const account = async () => (await query('managed/account'))[0] as JsonObject

  let filled: TestProject | undefined

  /** A server that goes on from what another one has left. */
  async function open() {
    if (!filled) {
      project = rolesProject(shape, lastingFolder())
      server = await served(project)
      await fill({ put })
      await server.stop()
      filled = project
    }
    project = filled.copy()
    server = await serve(project)
  }

  it('give what they assign when they are granted, and take away nothing else when they are revoked', async () => {
    await open()
    expect(rows('dir')).toEqual(['ann,'])
    const { _id } = await account()
    await patch(`account/${_id}`, { operation: 'add', field: '/groups', value: ['foreign'] })
    await patch('user/ann', grant('employee'))
    expect([rows('dir'), (await account()).groups]).toEqual([['ann,Employee'], ['foreign', 'staff', 'chat']])
    const ann = await get('managed/user/ann')
    expect([ann.effectiveRoles, ann.effectiveAssignments.map(({ name }: JsonObject) => name)]).toEqual([
      [{ _ref: 'managed/role/employee', _refResourceCollection: 'managed/role', _refResourceId: 'employee' }],
      ['type Employee', 'groups staff,chat'],
    ])
    expect(ann).not.toHaveProperty('lastSync')
    await patch('user/ann', revoke('employee'))
    expect([rows('dir'), (await account()).groups]).toEqual([['ann,'], ['foreign']])
  })

  it('reach their members with what changes in them, and everybody by reconciliation', async () => {
    await open()
    await put('user/bob', { userName: 'bob', roles: [ref('role/employee')] })
    await patch('role/contractor', { operation: 'add', field: '/members', value: [ref('user/ann')] })
    expect(rows('dir')).toEqual(['ann,Contractor', 'bob,Employee'])
    await patch('assignment/temp', {
      operation: 'replace',
      field: '/attributes',
      value: [{ name: 'employeeType', value: 'External' }],
    })
    expect(rows('dir')).toEqual(['ann,External', 'bob,Employee'])
    await patch('role/employee', {
      operation: 'remove',
      field: '/assignments',
      value: ref('assignment/staff'),
    })
    expect(rows('dir')).toEqual(['ann,External', 'bob,'])
    const { body } = await server.call('POST', 'recon?_action=recon&mapping=user_dir&waitForCompletion=true')
    expect(await get(`recon/${body._id}`)).toMatchObject({
      ...{ state: 'SUCCESS', situationSummary: { CONFIRMED: 2 }, statusSummary: { FAILURE: 0 } },
      progress: { target: { unchanged: 2 } },
    })
  })

  it('come and go by their condition', async () => {
    await open()
    await patch('role/contractor', { operation: 'add', field: '/condition', value: '/kind eq "ext"' })
    await patch('user/ann', { operation: 'add', field: '/kind', value: 'ext' })
    expect(rows('dir')).toEqual(['ann,Contractor'])
    expect((await get('managed/user/ann?_fields=roles')).roles).toMatchObject([
      { _refProperties: { _grantType: 'conditional' } },
    ])
    await patch('role/contractor', { operation: 'replace', field: '/condition', value: '/kind eq "int"' })
    expect(rows('dir')).toEqual(['ann,'])
    await put('user/bob', { userName: 'bob', kind: 'int' })
    expect(rows('dir')).toEqual(['ann,', 'bob,Contractor'])
  })

  it('cannot be deleted while they have members', async () => {
    await open()
    await patch('user/ann', grant('employee'))
    const { status, body } = await server.call('DELETE', 'managed/role/employee')
    expect([status, body.message]).toEqual([409, expect.stringContaining('granted to 1 object')])
    await patch('user/ann', revoke('employee'))
    expect((await server.call('DELETE', 'managed/role/employee')).status).toBe(200)
  })
})

describe('several accounts of one person', () => {
  it('exist as long as their roles are granted', async () => {
    project = new TestProject()
    project.write('conf/managed.json', managed('by shipped scripts'))
    project.write('data/dir.csv', 'dn,login\n')
    project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['dn', 'login']))
    const dn = "'uid=' + source.userName + ',ou=' + linkQualifier"
    project.write('conf/mapping-user_dir.json', {
      ...{ source: 'managed/user', target: 'system/dir/account', linkQualifiers: ['insured', 'agent'] },
      validSource: script(`
        var granted = source.effectiveRoles || []
        granted.some(function (role) { return openidm.read(role._ref).name === linkQualifier })`),
      properties: [
        { source: 'userName', target: 'login' },
        { target: 'dn', source: '', transform: script(dn) },
      ],
    })
    server = await served(project)
    for (const name of ['insured', 'agent']) await put(`role/${name}`, { name })
    await put('user/ann', { userName: 'ann', roles: [ref('role/insured'), ref('role/agent')] })
    expect(rows('dir')).toEqual(['uid=ann,ou=agent,ann', 'uid=ann,ou=insured,ann'])
    expect((await query('repo/link')).map(({ linkQualifier }) => linkQualifier).toSorted()).toEqual([
      'agent',
      'insured',
    ])
    await patch('user/ann', revoke('agent'))
    expect(rows('dir')).toEqual(['uid=ann,ou=insured,ann'])
    expect((await query('repo/link')).map(({ linkQualifier }) => linkQualifier)).toEqual(['insured'])
  })
})

describe('accounts that are kept when they are no longer used', () => {
  it('stay without a link, and the next one is another; the person knows all of them, with their times', async () => {
    project = new TestProject()
    const historicalAccounts = array({
      ...{ type: 'relationship', reverseRelationship: false, validate: false },
      properties: {
        _ref: text,
        _refProperties: {
          type: 'object',
          properties: { _id: text, linkDate: text, unlinkDate: text, active: { type: 'boolean' } },
        },
      },
      resourceCollection: [
        { path: 'system/dir/account', label: 'Account', query: { queryFilter: 'true', fields: ['uid'] } },
      ],
    })
    project.write('conf/managed.json', managed('by queries', { historicalAccounts }))
    project.write('data/dir.csv', 'uid,name\n')
    project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['uid', 'name']))
    const history = "'managed/user/' + source._id + '/historicalAccounts'"
    project.write('conf/mapping-user_dir.json', {
      ...{ source: 'managed/user', target: 'system/dir/account' },
      validSource: script("source.status === 'active'"),
      properties: [{ source: 'userName', target: 'name' }],
      onCreate: script(`
        var base = source.userName, name = base, counter = 0
        while (openidm.query('system/dir/account', { _queryFilter: 'uid eq "' + name + '"' }).result.length > 0) {
          counter++
          name = base + counter
        }
        target.uid = name`),
      onLink: script(`
        openidm.patch('managed/user/' + source._id, null, [{
          operation: 'add', field: '/historicalAccounts/-',
          value: {
            _ref: 'system/dir/account/' + target.uid,
            _refProperties: { active: true, linkDate: new Date().toISOString() }
          }
        }])`),
      onUnlink: script(`
        var ref = 'system/dir/account/' + targetId
        var found = openidm.query(${history}, { _queryFilter: '/_refProperties/active eq true and /_ref eq "' + ref + '"' })
        found.result.forEach(function (entry) {
          entry._refProperties.active = false
          entry._refProperties.unlinkDate = new Date().toISOString()
          openidm.update(${history} + '/' + entry._id, null, { _ref: ref, _refProperties: entry._refProperties })
        })`),
      policies: [{ situation: 'UNQUALIFIED', action: 'UNLINK' }],
    })
    server = await served(project)
    const accounts = async () => {
      const { historicalAccounts } = await get('managed/user/joe?_fields=historicalAccounts/*/name')
      return historicalAccounts.map(({ _ref, name, _refProperties }: JsonObject) => [
        ...[
          _ref,
          name,
          (_refProperties as JsonObject).active,
          'unlinkDate' in (_refProperties as JsonObject),
        ],
      ])
    }
    const status = (value: string) => patch('user/joe', { operation: 'replace', field: '/status', value })
    await put('user/joe', { userName: 'joe.smith', status: 'active' })
    expect([rows('dir'), await accounts()]).toEqual([
      ['joe.smith,joe.smith'],
      [['system/dir/account/joe.smith', 'joe.smith', true, false]],
    ])
    await status('inactive')
    expect(rows('dir')).toEqual(['joe.smith,joe.smith'])
    expect([await query('repo/link'), await accounts()]).toEqual([
      [],
      [['system/dir/account/joe.smith', 'joe.smith', false, true]],
    ])
    await status('active')
    expect(rows('dir')).toEqual(['joe.smith,joe.smith', 'joe.smith1,joe.smith'])
    expect(await accounts()).toEqual([
      ['system/dir/account/joe.smith', 'joe.smith', false, true],
      ['system/dir/account/joe.smith1', 'joe.smith', true, false],
    ])
    expect(await query('repo/link')).toMatchObject([{ firstId: 'joe', secondId: 'joe.smith1' }])
  })
})
