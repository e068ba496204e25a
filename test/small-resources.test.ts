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
