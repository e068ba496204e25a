import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import type { RequestContext } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import type { ConfigurationDocument } from '../project.ts'
import { configProvider } from './config.ts'

const context: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }

function document(id: string, raw: JsonObject | undefined): ConfigurationDocument {
  return {
    id,
    file: `conf/${id.replace('/', '-')}.json`,
    raw,
    content: raw,
    locate: () => ({ line: 1, column: 1 }),
  }
}

const documents = [
  document('sync', { mappings: [{ name: 'a' }] }),
  document('provisioner.openicf/hr', {
    name: 'hr',
    configurationProperties: { host: '&{host}', password: 'hunter2', bindPassword: '&{secret}' },
  }),
  document('broken', undefined),
]
const unchangeable = () => Promise.reject(new Error('nothing is changed here'))
const resources = router({
  config: configProvider({
    documents: () => documents,
    reconfiguration: { change: unchangeable, validate: unchangeable, versionText: unchangeable },
    connectorSchemas: {},
    transform: unchangeable,
  }),
})

describe('config', () => {
  it('lists documents', async () => {
    expect(await resources.read('config', context)).toMatchObject({
      _id: '',
      configurations: [
        { _id: 'sync', pid: 'sync', factoryPid: null },
        { _id: 'provisioner.openicf/hr', pid: 'provisioner.openicf.hr', factoryPid: 'provisioner.openicf' },
        { _id: 'broken' },
      ],
    })
  })
  it('answers a document as it is written, secrets hidden, with a revision', async () => {
    expect(await resources.read('config/provisioner.openicf/hr', context)).toEqual({
      _id: 'provisioner.openicf/hr',
      _rev: expect.stringMatching(/^[\w-]{22}$/),
      name: 'hr',
      configurationProperties: { host: '&{host}', password: '********', bindPassword: '&{secret}' },
    })
  })
  it.each([
    ['config/absent', 'NOT_FOUND'],
    ['config/broken', 'NOT_FOUND'],
    ['config/a/b/c', 'BAD_REQUEST'],
  ])('%s: %s', async (path, code) => {
    await expect(resources.read(path, context)).rejects.toMatchObject({ code })
  })
  it('filters, sorts and pages', async () => {
    const query = (filter: string, more = {}) =>
      resources.query('config', { filter: parseFilter(filter), ...more }, context)
    expect((await query('name eq "hr"')).result.map(({ _id }) => _id)).toEqual(['provisioner.openicf/hr'])
    const sortKeys = [{ pointer: ['_id'], descending: false }]
    const first = await query('true', { sortKeys, pageSize: 1, totalPolicy: 'EXACT' })
    expect(first).toMatchObject({ result: [{ _id: 'provisioner.openicf/hr' }], total: 2 })
    const second = await query('true', { sortKeys, pageSize: 1, cookie: first.cookie })
    expect(second).toMatchObject({ result: [{ _id: 'sync' }], cookie: null })
  })
})
