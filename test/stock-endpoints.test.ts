import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problems } from '../src/model/problem.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/**
 * What user interfaces and the documentation of OpenIDM and PingIDM ask of a stock server: each request has its answer, or an error in the
 * one shape that says what is not there.
 */
let project: TestProject
let server: Server

const text = { type: 'string' }
const members = {
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: 'roles', validate: true },
  properties: { _ref: text, _refProperties: { type: 'object', properties: {} } },
}
const related = (path: string, reversePropertyName: string) => ({
  ...{ type: 'array', returnByDefault: false },
  items: { ...members, reversePropertyName, resourceCollection: [{ path, query: { queryFilter: 'true' } }] },
})

beforeAll(async () => {
  project = new TestProject()
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        schema: { properties: { userName: text, mail: text, roles: related('managed/role', 'members') } },
      },
      {
        name: 'role',
        schema: { properties: { name: text, members: related('managed/user', 'roles') } },
      },
    ],
  })
  project.write('data/hr.csv', 'uid,name\na,Ann\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name']))
  project.write('conf/mapping-hr_user.json', {
    ...{ source: 'system/hr/account', target: 'managed/user' },
    properties: [{ source: 'name', target: 'userName' }],
  })
  for (const name of ['login', 'ping', 'version'])
    project.write(`conf/info-${name}.json`, { type: 'text/javascript', file: `info/${name}.js` })
  project.write('script/info/customping.js', "healthinfo.sampleprop = 'Example'; healthinfo")
  const custom = { infocontext: 'ping', type: 'text/javascript', file: 'script/info/customping.js' }
  project.write('conf/info-customping.json', custom)
  project.write('conf/ui-configuration.json', { configuration: { lang: 'de', selfRegistration: false } })
  for (const name of ['mappingDetails', 'reconResults', 'usernotifications'])
    project.write(`conf/endpoint-${name}.json`, { type: 'text/javascript', file: `ui/${name}.js` })
  project.write('conf/endpoint-mine.json', { type: 'text/javascript', source: '({ mine: true })' })
  server = await serve(project)
  await server.call('PUT', 'managed/user/ann', { body: { userName: 'ann' } })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const set = { result: expect.any(Array), resultCount: expect.any(Number) }
const anything = expect.anything()
const cron = { cronExpression: '0 0 * * * ?' }
const job = { type: 'cron', enabled: false, schedule: '0 0 0 1 1 ?', invokeService: 'sync' }
const schedule = { ...job, invokeContext: { action: 'reconcile', mapping: 'hr_user' } }
const evaluated = { type: 'text/javascript', source: '1 + 1' }

describe('a stock request', () => {
  it.each<[string, string, unknown, unknown]>([
    ['GET', 'info/ping', undefined, { state: 'ACTIVE_READY', shortDesc: anything }],
    [
      'GET',
      'info/login',
      undefined,
      { authenticationId: 'openidm-admin', authorization: { roles: anything } },
    ],
    ['GET', 'info/version', undefined, { productVersion: anything, productRevision: anything }],
    ['GET', 'info/customping', undefined, { state: 'ACTIVE_READY', sampleprop: 'Example' }],
    ['GET', 'info/uiconfig', undefined, { configuration: { selfRegistration: false } }],
    ['GET', 'info/features?_queryFilter=true', undefined, set],
    ['GET', 'info/features/endpoint', undefined, { enabled: true, endpoints: anything }],
    ['GET', 'health', undefined, { state: 'ACTIVE_READY' }],
    ['GET', 'health/live', undefined, { state: 'ACTIVE_READY' }],
    ['GET', 'health/ready', undefined, { state: 'ACTIVE_READY' }],
    ['GET', 'health/os', undefined, { availableProcessors: anything }],
    ['GET', 'health/memory', undefined, { heapMemoryUsage: anything }],
    ['GET', 'health/recon', undefined, { activeThreads: 0 }],
    ['GET', 'cluster', undefined, { results: [{ state: 'running' }] }],
    ['GET', 'cluster?_queryFilter=true', undefined, set],
    ['GET', 'cluster/node1', undefined, { instanceId: 'node1' }],
    ['GET', 'config', undefined, { configurations: anything }],
    ['GET', 'config?_queryFilter=true&_fields=_id', undefined, set],
    ['GET', 'config/managed', undefined, { objects: anything }],
    ['GET', 'config/ui/configuration', undefined, { configuration: anything }],
    ['GET', 'managed/user?_queryFilter=true&_fields=_id', undefined, set],
    ['GET', 'managed/user?_queryId=query-all-ids', undefined, set],
    ['GET', 'managed/user/ann', undefined, { userName: 'ann' }],
    ['GET', 'managed/user/ann/roles?_queryFilter=true', undefined, set],
    ['POST', 'managed/user?_action=patch&_queryId=for-userName&uid=ann', [], { userName: 'ann' }],
    ['GET', 'schema/managed/user', undefined, { properties: anything }],
    ['GET', 'internal/role?_queryFilter=true&_fields=_id', undefined, set],
    ['GET', 'internal/role/openidm-admin', undefined, { _id: 'openidm-admin' }],
    ['GET', 'internal/user?_queryFilter=true', undefined, set],
    ['POST', 'system?_action=test', undefined, [{ name: 'hr', ok: true }]],
    ['POST', 'system?_action=availableConnectors', undefined, { connectorRef: anything }],
    ['POST', 'system/hr?_action=test', undefined, { name: 'hr', ok: true }],
    ['GET', 'system/hr/account?_queryId=query-all-ids', undefined, set],
    ['GET', 'system/hr/account/a', undefined, { name: 'Ann' }],
    ['GET', 'sync/mappings?_queryFilter=true', undefined, set],
    ['GET', 'sync/queue?_queryFilter=true', undefined, set],
    ['POST', 'sync?_action=getLinkedResources&resourceName=managed/user/ann', undefined, anything],
    ['POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true', undefined, { state: 'SUCCESS' }],
    [
      'POST',
      'recon?_action=reconById&mapping=hr_user&id=a&waitForCompletion=true',
      undefined,
      { _id: anything },
    ],
    ['GET', 'recon', undefined, { reconciliations: anything }],
    ['GET', 'recon/assoc?_queryFilter=true', undefined, set],
    ['GET', 'repo/link?_queryFilter=true', undefined, set],
    ['GET', 'audit/recon?_queryFilter=true&_pageSize=1', undefined, set],
    ['GET', 'audit/sync?_queryFilter=true&_pageSize=1', undefined, set],
    ['GET', 'audit/activity?_queryFilter=true&_pageSize=1', undefined, set],
    ['GET', 'audit/access?_queryFilter=true&_pageSize=1', undefined, set],
    [
      ...(['POST', 'authentication?_action=login', undefined] as const),
      { authenticationId: 'openidm-admin', authorization: { roles: anything } },
    ],
    ['POST', 'authentication?_action=logout', undefined, { success: true }],
    ['GET', 'audit/authentication?_queryFilter=true&_pageSize=1', undefined, set],
    ['GET', 'audit/config?_queryFilter=true&_pageSize=1', undefined, set],
    ['POST', 'audit?_action=availableHandlers', undefined, anything],
    ['GET', 'policy', undefined, { resources: anything }],
    ['GET', 'policy/managed/user/*', undefined, { properties: anything }],
    ['POST', 'policy/managed/user/ann?_action=validateProperty', { userName: 'x' }, { result: true }],
    ['POST', 'policy/managed/user/-?_action=validateObject', { userName: 'x' }, { result: true }],
    ['PUT', 'scheduler/job/nightly', schedule, { _id: 'nightly' }],
    ['GET', 'scheduler/job/nightly', undefined, { enabled: false, triggers: anything }],
    ['GET', 'scheduler/job?_queryFilter=true', undefined, set],
    ['POST', 'scheduler/job?_action=listCurrentlyExecutingJobs', undefined, []],
    ['POST', 'scheduler/job?_action=pauseJobs', undefined, { success: true }],
    ['POST', 'scheduler/job?_action=resumeJobs', undefined, { success: true }],
    ['GET', 'scheduler/trigger?_queryFilter=true', undefined, set],
    ['GET', 'scheduler/acquiredTriggers', undefined, { triggers: [] }],
    ['GET', 'scheduler/waitingTriggers', undefined, { triggers: [] }],
    ['POST', 'scheduler?_action=validateQuartzCronExpression', cron, { valid: true }],
    ['DELETE', 'scheduler/job/nightly', undefined, { _id: 'nightly' }],
    ['GET', 'taskscanner', undefined, { tasks: [] }],
    ['POST', 'script?_action=eval', evaluated, 2],
    ['POST', 'script?_action=compile', evaluated, true],
    ['POST', 'util/validateQueryFilter?_action=validate', { _queryFilter: 'true' }, { valid: true }],
    ['GET', 'endpoint/linkedView/managed/user/ann', undefined, { userName: 'ann' }],
    ['GET', 'endpoint/mine', undefined, { mine: true }],
  ])('%s %s is answered', async (method, path, body, expected) => {
    const { status, body: answer } = await server.call(method, path, body === undefined ? {} : { body })
    expect([status, answer]).toEqual([
      method === 'PUT' ? 201 : 200,
      typeof expected === 'object' && expected !== null && !('asymmetricMatch' in expected)
        ? Array.isArray(expected)
          ? expected.map((one) => expect.objectContaining(one))
          : expect.objectContaining(matching(expected))
        : expected,
    ])
  })
})

function matching(expected: object): object {
  return Object.fromEntries(
    Object.entries(expected).map(([name, value]) => {
      const isPlain = typeof value === 'object' && value !== null && !('asymmetricMatch' in value)
      if (Array.isArray(value)) return [name, value.map((one) => expect.objectContaining(one))]
      return [name, isPlain ? expect.objectContaining(matching(value)) : value]
    }),
  )
}

describe('a stock request for what is not there', () => {
  it.each<[number, string, string]>([
    [501, 'POST', 'authentication?_action=getAuthToken'],
    [403, 'POST', 'authentication?_action=reauthenticate'],
    [501, 'GET', 'authentication'],
    [501, 'GET', 'cluster/active'],
    [501, 'PUT', 'cluster/active'],
    [404, 'GET', 'cluster/node2'],
    [501, 'GET', 'consent?_queryFilter=true'],
    [501, 'GET', 'csv/template?resourceCollection=managed/user&_fields=header'],
    [501, 'GET', 'csv/metadata?_queryFilter=true'],
    [501, 'POST', 'endpoint/mappingDetails'],
    [501, 'GET', 'endpoint/reconResults?_queryFilter=true'],
    [501, 'GET', 'endpoint/usernotifications'],
    [501, 'POST', 'external/email?_action=send'],
    [501, 'POST', 'external/email?_action=sendTemplate'],
    [400, 'POST', 'external/rest?_action=call'],
    [501, 'PUT', 'file/repo/x'],
    [404, 'GET', 'health/other'],
    [501, 'GET', 'health/jdbc'],
    [501, 'GET', 'identityProviders'],
    [501, 'POST', 'identityProviders?_action=availableProviders'],
    [404, 'GET', 'info/other'],
    [404, 'GET', 'info/features/other'],
    [501, 'GET', 'internal/notification?_queryFilter=true'],
    [501, 'GET', 'internal/usermeta/x'],
    [501, 'PUT', 'internal/user/x'],
    [501, 'PATCH', 'internal/role/openidm-admin'],
    [404, 'GET', 'managed/other?_queryFilter=true'],
    [501, 'GET', 'managed/user?_api'],
    [501, 'GET', 'maintenance/update/log?_queryFilter=true'],
    [501, 'POST', 'maintenance?_action=status'],
    [501, 'GET', 'metrics/api?_queryFilter=true'],
    [501, 'GET', 'metrics/prometheus'],
    [501, 'GET', 'notification?_queryFilter=true'],
    [501, 'POST', 'privilege?_action=listPrivileges'],
    [501, 'GET', 'privilege/managed/user'],
    [501, 'GET', 'profile/managed/user/ann'],
    [404, 'GET', 'recon/other'],
    [501, 'GET', 'repo/scheduler?_queryFilter=true'],
    [501, 'GET', 'repo/cluster/states?_queryFilter=true'],
    [501, 'GET', 'repo/relationships?_queryFilter=true'],
    [501, 'PUT', 'schema/managed/user/properties/custom_Children'],
    [501, 'GET', 'security/keystore'],
    [501, 'POST', 'security/keystore?_action=generateCert'],
    [501, 'GET', 'selfservice/registration'],
    [501, 'POST', 'selfservice/reset?_action=submitRequirements'],
    [404, 'GET', 'taskscanner/other'],
    [404, 'POST', 'taskscanner/other?_action=cancel'],
    [501, 'GET', 'workflow/processdefinition?_queryFilter=true'],
    [404, 'GET', 'endpoint/other'],
    [404, 'GET', 'csrf'],
    [404, 'GET', 'nothing/like/this'],
  ])('is a %i that says so: %s %s', async (status, method, path) => {
    const body = method === 'GET' ? undefined : method === 'PATCH' ? [] : {}
    const answer = await server.call(method, path, body === undefined ? {} : { body })
    expect(answer.body).toEqual(
      expect.objectContaining({
        ...{ code: status, reason: expect.any(String), message: expect.stringMatching(/\w{3}/) },
        problem: expect.toSatisfy((code: string) => Object.hasOwn(problems, code)),
      }),
    )
    expect(answer.status).toBe(status)
  })
})

describe('info', () => {
  it('says in which language a browser is spoken to', async () => {
    const lang = async (headers: Record<string, string>) =>
      (await server.call('GET', 'info/uiconfig', { headers })).body.configuration.lang
    expect(await lang({ 'Accept-Language': 'en;q=0.5, fr-CA' })).toBe('fr')
    expect(await lang({ 'Accept-Language': '*' })).toBe('de')
  })

  it('follows its configuration', async () => {
    const source = '({ name: request.method + version.productVersion })'
    const body = { type: 'text/javascript', source }
    await server.call('PUT', 'config/info/mine', { body })
    expect((await server.call('GET', 'info/mine')).body.name).toMatch(/^read\d/)
    const wrong = await server.call('PUT', 'config/info/mine', { body: { ...body, source: '(' } })
    expect(wrong.body).toMatchObject({ code: 400, problem: 'CONFIGURATION' })
    await server.call('DELETE', 'config/info/mine')
    expect((await server.call('GET', 'info/mine')).status).toBe(404)
  })
})

describe('authentication', () => {
  it('confirms a password that is sent once more', async () => {
    const again = (sent: string) =>
      server.call('POST', 'authentication?_action=reauthenticate', {
        headers: { 'X-OpenIDM-Reauth-Password': sent },
      })
    expect((await again(password)).body).toEqual({ reauthenticated: true })
    expect((await again('wrong')).status).toBeGreaterThanOrEqual(400)
  })
})
