import { describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

// It waits until every server that runs has seen the new key.

describe('the key', () => {
  it('is replaced while the server runs: all values are encrypted again, and the old key is no longer needed', async () => {
    using project = new TestProject()
    project.write('data/hr.csv', 'id,mail\n1,ann@example.com\n2,ben@example.com\n')
    await using server = await serve(project)
    const { call } = server
    const put = (id: string, body: object) => call('PUT', `config/${id}`, { body })
    const secret = { type: 'string', encryption: { key: 'openidm-sym-default' } }
    await put('managed', { objects: [{ name: 'role', schema: { properties: { pin: secret } } }] })
    await put('provisioner.openicf/hr', {
      ...csvConnector('hr', ['id', 'mail']),
      configurationProperties: {
        ...{ csvFile: '&{launcher.project.location}/data/hr.csv', headerUid: 'id', apiSecret: 'planted' },
      },
    })
    for (let role = 0; role < 3; role++)
      await call('PUT', `managed/role/r${role}`, { body: { pin: `pin ${role}` } })
    const before = project.read('conf/provisioner.openicf-hr.json')
    expect(project.json('key', 'rotate', '--forget-old')).toEqual({ configuration: 1, objects: 3, queue: 0 })
    expect(project.read('conf/provisioner.openicf-hr.json')).not.toBe(before)
    expect(project.read('.syncline/key').trim().split('\n')).toHaveLength(1)
    // The server that kept running encrypts and decrypts with the new key.
    await call('PUT', 'managed/role/r9', { body: { pin: 'pin 9' } })
    const decrypt =
      "openidm.query('managed/role', { _queryFilter: 'true' }).result.map(function (one) { return openidm.decrypt(one).pin }).sort()"
    const { body } = await call('POST', 'script?_action=eval', {
      body: { type: 'text/javascript', source: decrypt },
    })
    expect(body).toEqual(['pin 0', 'pin 1', 'pin 2', 'pin 9'])
    expect((await call('GET', 'system/hr/account?_queryFilter=true')).body.resultCount).toBe(2)
  })
})
