import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { csvConnector, openStore, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

let project: TestProject
let server: Server

beforeEach(async () => {
  project = new TestProject()
  project.write('conf/managed.json', { objects: [{ name: 'user' }] })
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['id', 'mail']))
  project.write('data/hr.csv', 'id,mail\n1,ann@example.com\n')
  server = await serve(project)
  expect((await put('mapping/hr_user', userMapping)).status).toBeLessThan(300)
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const call: Server['call'] = (...args) => server.call(...args)
const put = (id: string, body: object) => call('PUT', `config/${id}`, { body })
const userMapping = {
  source: 'system/hr/account',
  target: 'managed/user',
  properties: [{ source: 'mail', target: 'mail' }],
}

describe('a server that is killed while it is configured', () => {
  it('has the old configuration or the new one, and its history says which', async () => {
    for (let round = 0; round < 8; round++) {
      const changes = Array.from({ length: 20 }, (_, change) =>
        put('mapping/hr_user', { ...userMapping, displayName: `${round}-${change}` }).catch(() => undefined),
      )
      await new Promise((resolve) => setTimeout(resolve, 40 + 70 * round))
      await server.stop('SIGKILL')
      await Promise.all(changes)
      server = await serve(project)
      const text = project.read('conf/mapping-hr_user.json')
      expect((await call('GET', 'config/mapping/hr_user')).body).toMatchObject(JSON.parse(text))
      const { body } = await call(
        'GET',
        'config/history?_queryFilter=configId eq "mapping/hr_user"&_sortKeys=-_id&_pageSize=1',
      )
      expect(body.result[0].after).toEqual(JSON.parse(text))
      expect(readdirSync(project.path('conf')).filter((name) => name.startsWith('.'))).toEqual([])
    }
    await server.stop()
    const events = openStore(project)
      .prepare("SELECT count(*) AS n FROM audit WHERE topic = 'config'")
      .get() as { n: number }
    expect(events.n).toBeGreaterThan(0)
  })
})
