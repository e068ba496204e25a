import { afterAll, beforeAll, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/** What a program sees that follows a server: `GET events`. */
let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        schema: {
          properties: {
            userName: { type: 'string' },
            mail: { type: 'string' },
            password: { type: 'string', scope: 'private' },
            authzRoles: { type: 'array', items: { type: 'object' } },
          },
        },
      },
    ],
  })
  const rows = Array.from({ length: 5_000 }, (_, row) => `u${row},Name ${row}`)
  project.write('data/hr.csv', `uid,name\n${rows.join('\n')}\n`)
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name']))
  project.write('conf/mapping-hr_user.json', {
    ...{ source: 'system/hr/account', target: 'managed/user' },
    correlationQuery: {
      type: 'text/javascript',
      source: "({ _queryFilter: 'userName eq \"' + source.uid + '\"' })",
    },
    properties: [{ source: 'uid', target: 'userName' }],
  })
  project.write('conf/authentication.json', {
    serverAuthContext: {
      authModules: [
        {
          name: 'MANAGED_USER',
          properties: { propertyMapping: { authenticationId: 'userName', userRoles: 'authzRoles' } },
        },
      ],
    },
  })
  server = await serve(project)
  for (const [name, role] of [
    ['rea', 'syncline-reader'],
    ['nob', 'openidm-authorized'],
  ]) {
    const body = { userName: name, password: 'Pass-1', authzRoles: [{ _ref: `internal/role/${role}` }] }
    await server.call('PUT', `managed/user/${name}`, { body })
  }
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

interface Event {
  readonly event: string
  // biome-ignore lint/suspicious/noExplicitAny: events of every kind are looked into
  readonly data: any
}

const basic = (name: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
})

async function follow(headers: Record<string, string> = basic('openidm-admin', password)) {
  const stop = new AbortController()
  const response = await fetch(`${server.url}/events`, {
    ...{ headers: { ...headers, accept: 'text/event-stream' }, signal: stop.signal },
  })
  const seen: Event[] = []
  let text = ''
  let isOpen = true
  const read = async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts) {
        const [, event = ''] = /^event: (.*)$/m.exec(part) ?? []
        const [, data = 'null'] = /^data: (.*)$/m.exec(part) ?? []
        if (event !== '') seen.push({ event, data: JSON.parse(data) })
      }
    }
  }
  const ended = read()
    .catch(() => {})
    .finally(() => {
      isOpen = false
    })
  return {
    ...{ response, seen, ended },
    get isOpen() {
      return isOpen
    },
    of: (event: string) => seen.filter((one) => one.event === event).map(({ data }) => data),
    [Symbol.dispose]: () => stop.abort(),
  }
}

it('tells first how things are', async () => {
  using stream = await follow()
  expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  await expect.poll(() => stream.seen).toEqual([{ event: 'issues', data: expect.anything() }])
})

it('tells of a run from its beginning to its end, a few times a second at most', async () => {
  using stream = await follow()
  const started = performance.now()
  const { body } = await server.call('POST', 'recon?_action=recon&mapping=hr_user')
  await expect.poll(() => stream.of('run').at(-1)?.state).toBe('SUCCESS')
  const spent = performance.now() - started
  const runs = stream.of('run')
  expect(new Set(runs.map(({ _id }) => _id))).toEqual(new Set([body._id]))
  expect(runs.at(-1)).toMatchObject({ mapping: 'hr_user', situationSummary: { ABSENT: 5_000 } })
  // The first at once; ten pages alone would be more than that.
  expect(runs.length).toBeLessThanOrEqual(2 + spent / 250)
})

it('shows a run that is active already to who comes later', async () => {
  using early = await follow()
  await server.call('POST', 'recon?_action=recon&mapping=hr_user')
  await expect.poll(() => early.of('run').length).toBeGreaterThan(0)
  using late = await follow()
  await expect.poll(() => late.of('run').at(-1)?.state ?? early.of('run').at(-1)?.state).toBe('SUCCESS')
})

it('tells that the configuration has changed', async () => {
  using stream = await follow()
  await server.call('PUT', 'config/endpoint/one', { body: { type: 'text/javascript', source: '1' } })
  await expect.poll(() => stream.of('configuration')).toEqual([null])
})

it('is for who may read it: a reader is, others are not', async () => {
  using reader = await follow(basic('rea', 'Pass-1'))
  await expect.poll(() => reader.of('issues').length).toBe(1)
  using nobody = await follow(basic('nob', 'Pass-1'))
  expect(nobody.response.status).toBe(403)
  using unknown = await follow({})
  expect(unknown.response.status).toBe(401)
})

it('ends with the session', async () => {
  const login = await fetch(`${server.url}/authentication?_action=login`, {
    ...{ method: 'POST', headers: basic('rea', 'Pass-1') },
  })
  const cookie = String(login.headers.get('set-cookie')?.split(';')[0])
  using stream = await follow({ cookie })
  await expect.poll(() => stream.of('issues').length).toBe(1)
  await fetch(`${server.url}/authentication?_action=logout`, {
    ...{ method: 'POST', headers: { cookie, 'x-requested-with': 'test' } },
  })
  // It is looked at before anything is told.
  await server.call('PUT', 'config/endpoint/two', { body: { type: 'text/javascript', source: '2' } })
  await stream.ended
  expect(stream.of('configuration')).toEqual([])
  using again = await follow({ cookie })
  expect(again.response.status).toBe(401)
})

it('describes itself to who does not ask for a stream', async () => {
  expect((await server.call('GET', 'events')).body).toMatchObject({ type: 'text/event-stream' })
})

it('does not keep a server from stopping', async () => {
  using stream = await follow()
  await expect.poll(() => stream.of('issues').length).toBe(1)
  expect(await server.stop()).toBe(0)
  await stream.ended
  server = await serve(project)
})
