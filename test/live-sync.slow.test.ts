import { afterEach, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** liveSync over HTTP, with a CSV file as the system (engine §9). */
const source = 'system/hr/account'
const stage = 'repo/synchronisation/pooledSyncStage/SYSTEMHRACCOUNT'

let project: TestProject
let server: Server

interface Options {
  readonly mapping?: object
  readonly connector?: object
}

async function open({ mapping = {}, connector = {} }: Options = {}): Promise<void> {
  project = new TestProject()
  hr(['ann', 'Ann'], ['bob', 'Bob'])
  const columns = ['login', 'name']
  project.write('conf/provisioner.openicf-hr.json', { ...csvConnector('hr', columns), ...connector })
  const text = { type: 'string' }
  const schema = { type: 'object', properties: { userName: text, name: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'hr_user', source, target: 'managed/user' },
        properties: [
          { source: 'login', target: 'userName' },
          { source: 'login', target: '_id' },
          { source: 'name', target: 'name' },
        ],
        policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
        ...mapping,
      },
    ],
  })
  server = await serve(project)
}

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

const hr = (...rows: string[][]) =>
  project.write('data/hr.csv', `${['login,name', ...rows.map((row) => row.join(','))].join('\n')}\n`)
const liveSync = (more = '') => server.call('POST', `${source}?_action=liveSync${more}`)
const users = async () => {
  const { result } = (await server.call('GET', 'managed/user?_queryFilter=true')).body
  return Object.fromEntries(result.map(({ _id, name }: Record<string, string>) => [_id, name]))
}

describe('liveSync', () => {
  it('records the present position at first, and synchronizes later changes', async () => {
    await open()
    const first = await liveSync()
    expect([first.status, first.body]).toEqual([
      200,
      {
        ...{ _id: 'SYSTEMHRACCOUNT', _rev: expect.any(String) },
        connectorData: { nativeType: 'JAVA_TYPE_STRING', syncToken: expect.any(String) },
        completeAsOf: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ])
    expect(await users()).toEqual({})
    hr(['ann', 'Anna'], ['cid', 'Cid'])
    await liveSync()
    expect(await users()).toEqual({ ann: 'Anna', cid: 'Cid' })
    hr(['cid', 'Cid'])
    const last = await server.call('POST', `system?_action=activeSync&source=${source}`)
    expect(await users()).toEqual({ cid: 'Cid' })
    expect((await server.call('GET', stage)).body).toEqual(last.body)
    const activities = async (filter: string) =>
      (await server.call('GET', `audit/activity?_queryFilter=${encodeURIComponent(filter)}`)).body.result
    // What the mapping wrote is recorded besides, with its name.
    const written = await activities('mapping pr')
    expect(
      written.map(({ operation, mapping }: Record<string, string>) => `${operation} ${mapping}`),
    ).toEqual(['CREATE', 'CREATE', 'DELETE'].map((operation) => `${operation} ${written[0].mapping}`))
    const result = await activities('!(mapping pr)')
    expect(result.map(({ message, objectId }: Record<string, string>) => `${message} ${objectId}`)).toEqual([
      'sync-update system/hr/account/ann',
      'sync-create system/hr/account/cid',
      'sync-delete system/hr/account/bob',
      'sync-delete system/hr/account/ann',
    ])
  })

  it('processes all objects if told to start from the beginning; deleting its state starts again', async () => {
    await open()
    await liveSync('&fromBeginning=true')
    expect(await users()).toEqual({ ann: 'Ann', bob: 'Bob' })
    expect((await server.call('DELETE', stage)).status).toBe(200)
    hr(['ann', 'Later'])
    await liveSync()
    expect(await users()).toEqual({ ann: 'Ann', bob: 'Bob' })
  })

  it.each([
    ['POST', 'system?_action=liveSync', 400],
    ['POST', 'system?_action=liveSync&source=managed/user', 400],
    ['POST', 'system?_action=liveSync&source=system/nobody/account', 503],
    ['POST', 'system/hr/group?_action=liveSync', 404],
    ['GET', 'repo/synchronisation/pooledSyncStage/NOBODY', 404],
  ])('%s %s is %i', async (method, path, status) => {
    await open()
    expect((await server.call(method, path)).status).toBe(status)
  })

  const poisoned = { validSource: script("if (source.name === 'Poison') { throw 'poisoned' } true") }
  const withHandler = (maxRetries: number, postRetryAction: unknown): Options => ({
    mapping: poisoned,
    connector: { syncFailureHandler: { maxRetries, postRetryAction } },
  })
  const poison = () => hr(['ann', 'Ann'], ['bob', 'Poison'], ['cid', 'Cid'])

  it('stops at a change that fails, says why, and retries it every time, by default', async () => {
    await open({ mapping: poisoned })
    await liveSync()
    poison()
    for (let call = 0; call < 3; call++) {
      const { status, body } = await liveSync(call === 2 ? '&detailedFailure=true' : '')
      expect(status).toBe(200)
      expect(body.lastException.throwable).toMatch(
        /Failed to synchronize bob object on system\/hr\/account: .*poisoned/,
      )
      expect(body.lastException.syncDelta).toEqual(
        call === 2
          ? expect.objectContaining({ uid: 'bob', object: { _id: 'bob', login: 'bob', name: 'Poison' } })
          : undefined,
      )
    }
    expect(await users()).toEqual({})
    hr(['ann', 'Ann'], ['bob', 'Healed'], ['cid', 'Cid'])
    expect((await liveSync()).body).not.toHaveProperty('lastException')
    expect(await users()).toEqual({ bob: 'Healed', cid: 'Cid' })
  })

  it.each<[string, unknown, 'SIGTERM' | 'SIGKILL', () => Promise<void>]>([
    [
      'passes over it',
      'logged-ignore',
      'SIGTERM',
      async () => expect(server.log()).toMatch(/bob is left out/),
    ],
    [
      'keeps a dead letter',
      'dead-letter-queue',
      'SIGKILL',
      async () => {
        const path = 'repo/synchronisation/deadLetterQueue/hr'
        const { result } = (await server.call('GET', `${path}?_queryFilter=true`)).body
        expect(result).toEqual([
          expect.objectContaining({
            ...{ systemIdentifier: 'hr', objectType: 'account', uid: 'bob' },
            ...{ failedRecord: { _id: 'bob', login: 'bob', name: 'Poison' } },
            failureCause: expect.objectContaining({ code: 409 }),
          }),
        ])
        expect((await server.call('DELETE', `${path}/${result[0]._id}`)).status).toBe(200)
      },
    ],
    [
      'asks a script',
      {
        script: script(
          "logger.warn('gave up ' + syncFailure.uid + ' ' + failureCause.code); failureHandlers.deadLetterQueue.invoke(syncFailure, failureCause)",
        ),
      },
      'SIGTERM',
      async () => {
        expect(server.log()).toMatch(/gave up bob 409/)
        const { body } = await server.call('GET', 'repo/synchronisation/deadLetterQueue/hr?_queryFilter=true')
        expect(body.result).toHaveLength(1)
      },
    ],
  ])(
    'with two retries: tries a change three times in all, then %s and goes on',
    async (_what, action, signal, check) => {
      await open(withHandler(2, action))
      await liveSync()
      poison()
      for (const waits of [true, true]) {
        const { body } = await liveSync()
        expect('lastException' in body).toBe(waits)
        expect(await users()).toEqual({})
      }
      // However the server has ended, it knows how often it has tried.
      await server.stop(signal)
      server = await serve(project)
      expect((await liveSync()).body).not.toHaveProperty('lastException')
      expect(await users()).toEqual({ cid: 'Cid' })
      await check()
    },
  )

  it('is refused while it already runs for the same source', async () => {
    const slow = script('var end = Date.now() + 300; while (Date.now() < end); true')
    await open({ mapping: { validSource: slow } })
    await liveSync()
    hr(['ann', 'Changed'], ['bob', 'Bob'])
    const statuses = (await Promise.all([liveSync(), liveSync()])).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409])
    expect(await users()).toEqual({ ann: 'Changed' })
  })

  const people = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => [`p${from + index}`, `Person ${from + index}`])
  const many = async (mapping: object = {}) => {
    await open({ mapping })
    hr(...people(10))
    await liveSync('&fromBeginning=true')
    expect(Object.keys(await users())).toHaveLength(10)
  }
  /** What only the target knows: it is lost if a user is deleted and made anew. */
  const remember = () =>
    server.call('PATCH', 'managed/user/p3', {
      body: [{ operation: 'replace', field: '/userName', value: 'kept by the target' }],
    })
  const remembered = async () => (await server.call('GET', 'managed/user/p3')).body.userName

  it.each<[what: string, mapping: object, left: number, code: RegExp]>([
    ['an empty export', { guard: false }, 0, /system\/hr\/account holds nothing any more/],
    ['an empty export, within the guard', { guard: { maxDeletes: 10 } }, 0, /holds nothing any more/],
    [
      'half an export',
      { guard: { maxDeletes: 1 } },
      5,
      /hr_user: nothing was written: 5 deletes for 10 linked targets; at most 1 are allowed\. Among them: p5, p6/,
    ],
    [
      'an empty export, where it may be empty',
      { guard: { maxDeletes: 1 }, allowEmptySourceSet: true },
      0,
      /10 deletes for 10/,
    ],
  ])(
    'refuses %s as a run does, as often as it comes, and loses nothing',
    async (_what, mapping, left, message) => {
      await many(mapping)
      await remember()
      const before = (await server.call('GET', stage)).body
      // Also what is no deletion waits.
      for (let call = 0; call < 5; call++) {
        hr(...people(left), ...(left > 0 ? [['new', `New ${call}`]] : []))
        const { status, body } = await liveSync()
        expect([status, body.message]).toEqual([409, expect.stringMatching(message)])
      }
      expect((await server.call('GET', stage)).body).toEqual(before)
      expect(Object.keys(await users())).toHaveLength(10)
      hr(...people(9), ['p9', 'Later'], ['new', 'New'])
      expect((await liveSync()).status).toBe(200)
      expect(await users()).toMatchObject({ p0: 'Person 0', p9: 'Later', new: 'New' })
      expect(Object.keys(await users())).toHaveLength(11)
      expect(await remembered()).toBe('kept by the target')
    },
  )

  it.each<[string, object, number, string, object | undefined]>([
    ['a mapping that says so', { allowEmptySourceSet: true }, 0, '', undefined],
    ['a parameter', {}, 0, '&allowEmptySourceSet=true&reason=closed', undefined],
    ['the body', {}, 0, '', { allowEmptySourceSet: true, reason: 'closed' }],
    ['the guard of the call', { guard: { maxDeletes: 1 } }, 5, '&guard=off&reason=closed', undefined],
    [
      'a release of the call',
      { guard: { maxDeletes: 1 } },
      5,
      '&overrideGuard=true&reason=closed',
      undefined,
    ],
    [
      'limits of the call',
      { guard: { maxDeletes: 1 } },
      5,
      '',
      { guard: { maxDeletes: 5 }, reason: 'closed' },
    ],
  ])('goes on where it is allowed by %s', async (_what, mapping, left, parameters, body) => {
    await many(mapping)
    hr(...people(left))
    expect((await server.call('POST', `${source}?_action=liveSync${parameters}`, { body })).status).toBe(200)
    expect(Object.keys(await users())).toHaveLength(left)
  })

  it('from the command line is refused with what to do, and goes on if it is told to', async () => {
    await many({ guard: { maxDeletes: 1 } })
    await server[Symbol.asyncDispose]()
    hr()
    const empty = project.syncline(['livesync', source])
    expect([empty.code, empty.err]).toEqual([1, expect.stringContaining('--allow-empty-source')])
    const unreasoned = project.syncline(['livesync', source, '--allow-empty-source'])
    expect(unreasoned).toMatchObject({ code: 2, err: expect.stringContaining('needs a reason') })
    const allowed = ['livesync', source, '--allow-empty-source', '--reason', 'the branch closed']
    const guarded = project.syncline(allowed)
    expect([guarded.code, guarded.err]).toEqual([1, expect.stringContaining('--guard off')])
    const told = ['livesync', source, '--allow-empty-source', '--guard', 'maxDeletes=10']
    expect(project.syncline(told)).toMatchObject({ code: 2, err: expect.stringContaining('needs a reason') })
    told.push('--reason', 'the branch closed')
    expect(project.syncline(told)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${source}: 10 changes: 10 deleted\n`),
    })
    server = await serve(project)
    expect(await users()).toEqual({})
  })

  it('from the command line says what failed', async () => {
    await open({ mapping: poisoned })
    await server[Symbol.asyncDispose]()
    expect(project.syncline(['livesync', source])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/: no changes\nComplete as of \d{4}-.*Z\n$/),
    })
    poison()
    const { code, out } = project.syncline(['livesync', source])
    expect([code, out]).toEqual([1, expect.stringMatching(/Failed to synchronize bob/)])
  })
})
