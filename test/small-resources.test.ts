import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Resources for consoles and monitoring (platform §2). */
let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  const schema = { required: ['name'], properties: { name: { type: 'string' } } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  const properties = [{ name: 'name', policies: [{ policyId: 'not-empty' }] }]
  project.write('conf/policy.json', { resources: [{ resource: 'managed/user/*', properties }] })
  project.write('data/hr.csv', 'uid,name\na,Ann\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name']))
  project.write('conf/mapping-hr_user.json', {
    ...{ source: 'system/hr/account', target: 'managed/user' },
    properties: [
      { source: 'uid', target: '_id' },
      { source: 'name', target: 'name' },
    ],
  })
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const get = async (path: string) => (await server.call('GET', path)).body
const count = expect.any(Number)

describe('health', () => {
  it('of the machine, the memory and the reconciliations', async () => {
    expect(await get('health/os')).toMatchObject({
      ...{ _id: 'os', availableProcessors: count, systemLoadAverage: count },
      operatingSystemName: expect.any(String),
    })
    const { heapMemoryUsage } = await get('health/memory')
    expect(heapMemoryUsage.used).toBeGreaterThan(1_000_000)
    expect(heapMemoryUsage.max).toBeGreaterThan(heapMemoryUsage.used)
    expect(await get('health/recon')).toMatchObject({ activeThreads: 0, maximumPoolSize: count })
    expect((await server.call('GET', 'health/other')).status).toBe(404)
  })
})

describe('what OpenIDM keeps in its repository', () => {
  it('roles for access and managed objects are read under their older names, and not written', async () => {
    const { result } = await get('repo/internal/role?_queryId=query-all-ids')
    expect(result.map(({ _id }: { _id: string }) => _id)).toContain('openidm-authorized')
    expect(await get('internal/role/openidm-reg')).toMatchObject({ _id: 'openidm-reg' })
    expect(await get('repo/internal/user/anonymous')).toMatchObject({ _id: 'anonymous' })
    await server.call('PUT', 'managed/user/r', { body: { name: 'Rob' } })
    expect(await get('repo/managed/user/r')).toMatchObject({ name: 'Rob' })
    expect((await get('repo/managed/user?_queryId=query-all-ids')).result).toContainEqual(
      expect.objectContaining({ _id: 'r' }),
    )
    const written = await server.call('PUT', 'repo/managed/user/r', { body: { name: '' } })
    expect(written.status).toBe(501)
    await server.call('DELETE', 'managed/user/r')
  })

  it('links by the queries of its repositories', async () => {
    await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    const links = async (query: string) => (await get(`repo/link?_queryId=${query}`)).result
    expect(await links('links-for-linkType&linkType=hr_user')).toHaveLength(1)
    expect(await links('links-for-firstId&linkType=hr_user&firstId=a')).toMatchObject([{ secondId: 'a' }])
    expect(await links('links-for-firstId&linkType=hr_user&firstId=b')).toEqual([])
  })
})

describe('named queries of the repositories', () => {
  it.each([
    ['managed/user', 'query-all-ids-count'],
    ['repo/managed/user', 'query-all-count'],
    ['system/hr/account', 'query-all-ids-count'],
    ['internal/role', 'query-all-ids-count'],
    ['config', 'query-all-ids-count'],
    ['repo/link', 'query-all-ids-count'],
    ['audit/recon', 'query-all-count'],
    ['recon', 'query-all-ids-count'],
    ['scheduler/job', 'query-all-ids-count'],
  ])('count %s by %s', async (path, id) => {
    const all = (await get(`${path}?_queryFilter=true`)).result
    expect(await get(`${path}?_queryId=${id}`)).toMatchObject({
      ...{ resultCount: 1, result: [{ total: all.length }] },
    })
    const script = {
      type: 'text/javascript',
      source: `openidm.query('${path}', { _queryId: '${id}' }).result`,
    }
    const { body } = await server.call('POST', 'script?_action=eval', { body: script })
    expect(body).toEqual([expect.objectContaining({ total: all.length })])
  })

  it.each(['audit/recon', 'repo/audit/recon'])('list the recorded runs of %s', async (path) => {
    await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    const runs = async (query: string) => (await get(`${path}?_queryId=get-recons&${query}`)).result
    const all = await runs('includeMapping=%25&excludeMapping=')
    expect(all[0]).toEqual({
      ...{ _id: expect.any(String), mapping: 'hr_user' },
      ...{ reconId: expect.any(String), timestamp: expect.any(String) },
    })
    expect(all[0].timestamp > all[1].timestamp).toBe(true)
    expect(await runs('includeMapping=hr%25')).toEqual(all)
    expect(await runs('includeMapping=%25&excludeMapping=hr_user')).toEqual([])
  })
})

describe('the cluster', () => {
  it('has one node', async () => {
    const node = { instanceId: 'node1', state: 'running', startup: expect.any(String) }
    expect(await get('cluster')).toMatchObject({ results: [node] })
    expect(await get('cluster/node1')).toMatchObject(node)
    expect((await get('cluster?_queryFilter=true')).result).toMatchObject([node])
    expect((await server.call('GET', 'cluster/node2')).status).toBe(404)
  })
})

describe('what is not there', () => {
  it.each([
    ['GET', 'managed/user?_api', '_api'],
    ['GET', 'managed/user?_crestapi', '_crestapi'],
    ['GET', 'identityProviders', 'social login'],
    ['GET', 'workflow/processdefinition?_queryFilter=true', 'workflows'],
  ])('%s %s says so', async (method, path, said) => {
    const { status, body } = await server.call(method, path)
    expect([status, body.problem, body.message]).toEqual([
      501,
      'NOT_IMPLEMENTED',
      expect.stringContaining(said),
    ])
  })
})

describe('the scheduler and the task scanner', () => {
  it.each(['scheduler', 'scheduler/job'])('%s says whether an expression is one', async (path) => {
    const validate = async (cronExpression: string) =>
      (
        await server.call('POST', `${path}?_action=validateQuartzCronExpression`, {
          body: { cronExpression },
        })
      ).body
    expect(await validate('0 0 * * * ?')).toEqual({ valid: true })
    expect(await validate('hourly')).toMatchObject({ valid: false })
  })
  it('lists the task scans', async () => {
    expect(await get('taskscanner')).toEqual({ _id: '', tasks: [] })
  })
})

describe('a draft of a connector', () => {
  it('may have placeholders, which are replaced for the test and stay in the answer', async () => {
    const ask = (action: string, csvFile: string) =>
      server.call('POST', `system?_action=${action}`, {
        body: csvConnector('draft', ['uid', 'name'], { csvFile }),
      })
    const csvFile = '&{launcher.project.location}/data/hr.csv'
    expect((await ask('testConfig', csvFile)).body).toMatchObject({ name: 'draft', ok: true })
    const full = (await ask('createFullConfig', csvFile)).body
    expect(full.configurationProperties.csvFile).toBe(csvFile)
    expect(Object.keys(full.objectTypes)).toEqual(['account'])
    expect(full.discovery).toMatchObject({ ok: true, findings: [], suggestions: {} })
    const { body } = await ask('testConfig', '&{no.such.property}/hr.csv')
    expect(body).toMatchObject({ ok: false, error: expect.stringContaining('no.such.property') })
  })
})

describe('a secret in a draft of a connector', () => {
  it('comes back encrypted, and the answer can be tested and completed again', async () => {
    const draft = csvConnector('draft', ['uid', 'name'], {
      csvFile: '&{launcher.project.location}/data/hr.csv',
      apiPassword: 'planted-secret',
      otherPassword: '&{from.elsewhere|x}',
    })
    const ask = async (action: string, body: unknown) =>
      (await server.call('POST', `system?_action=${action}`, { body })).body
    const full = await ask('createFullConfig', draft)
    expect(JSON.stringify(full)).not.toContain('planted-secret')
    expect(full.configurationProperties).toMatchObject({
      apiPassword: { $crypto: {} },
      otherPassword: '&{from.elsewhere|x}',
    })
    expect(await ask('testConfig', full)).toMatchObject({ ok: true })
    expect((await ask('createFullConfig', full)).objectTypes).toEqual(full.objectTypes)
  })
})

describe('util/validateQueryFilter', () => {
  const validate = (_queryFilter: unknown) =>
    server.call('POST', 'util/validateQueryFilter?_action=validate', { body: { _queryFilter } })
  it('accepts a filter and says what is wrong with another', async () => {
    expect(await validate('a eq "b" and !(c pr)')).toMatchObject({ status: 200, body: { valid: true } })
    const { status, body } = await validate('a equals "b"')
    expect([status, body.message]).toEqual([400, expect.stringContaining('equals')])
    expect((await validate(7)).status).toBe(400)
  })
})

describe('schema/managed', () => {
  it('has the schema of each type, with what policies add to it', async () => {
    expect(await get('schema/managed/user')).toMatchObject({
      _id: 'managed/user',
      required: ['name'],
      properties: { name: { type: 'string', policies: [{ policyId: 'not-empty' }] } },
    })
    expect((await get('schema/managed?_queryFilter=true')).result).toHaveLength(1)
    expect((await server.call('GET', 'schema/managed/other')).status).toBe(404)
  })
})

describe('endpoint/linkedView', () => {
  it('shows an object with what it is linked to', async () => {
    await server.call('POST', 'recon?_action=recon&mapping=hr_user&waitForCompletion=true')
    expect(await get('endpoint/linkedView/managed/user/a')).toMatchObject({
      ...{ _id: 'a', name: 'Ann' },
      linkedTo: [{ resourceName: 'system/hr/account/a', content: { name: 'Ann' }, linkQualifier: 'default' }],
    })
    expect((await server.call('GET', 'endpoint/linkedView/managed/user/none')).status).toBe(404)
  })
})
