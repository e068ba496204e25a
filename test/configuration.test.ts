import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lastingFolder, type TemporaryFolder } from '../src/testing/folder.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

// A running server is configured over REST and with an editor: connectors, types, mappings, schedules, endpoints.

let project: TestProject
let server: Server

function emptyTown(temporary?: TemporaryFolder): TestProject {
  const town = new TestProject(temporary)
  // Changed files are found soon.
  town.write('conf/boot/boot.properties', 'openidm.fileinstall.poll=50')
  town.write('conf/managed.json', { objects: [{ name: 'role' }] })
  town.write('data/hr.csv', 'id,mail\n1,ann@example.com\n2,ben@example.com\n')
  town.write('data/dir.csv', 'uid,mail\n')
  return town
}

/** A server with almost no configuration. */
async function empty() {
  project = emptyTown()
  server = await serve(project)
}
afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

const call: Server['call'] = (...args) => server.call(...args)
const put = (id: string, body: object, headers = {}) => call('PUT', `config/${id}`, { body, headers })
const patch = (id: string, body: object[], headers = {}) => call('PATCH', `config/${id}`, { body, headers })
const userMapping = {
  source: 'system/hr/account',
  target: 'managed/user',
  properties: [{ source: 'mail', target: 'mail' }],
}
const recon = (mapping: string) =>
  call('POST', `recon?_action=recon&mapping=${mapping}&waitForCompletion=true`)

async function configure() {
  for (const [id, body] of Object.entries({
    'provisioner.openicf/hr': csvConnector('hr', ['id', 'mail']),
    'provisioner.openicf/dir': csvConnector('dir', ['uid', 'mail']),
    managed: { objects: [{ name: 'role' }, { name: 'user' }] },
    'mapping/hr_user': userMapping,
  }))
    expect((await put(id, body)).status).toBeLessThan(300)
}

let configured: TestProject | undefined

/** A server that has been given connectors, a type and a mapping over REST: a copy of what it has left. */
async function everything() {
  if (!configured) {
    project = emptyTown(lastingFolder())
    server = await serve(project)
    await configure()
    await server.stop()
    configured = project
  }
  project = configured.copy()
  server = await serve(project)
}

describe('a server with almost no configuration', () => {
  it('is given connectors, a type and mappings over REST, which work at once', async () => {
    await empty()
    await configure()
    expect((await recon('hr_user')).body).toMatchObject({ state: 'SUCCESS' })
    const users = await call('GET', 'managed/user?_queryFilter=true&_fields=mail&_sortKeys=mail')
    expect(users.body.result.map(({ mail }: { mail: string }) => mail)).toEqual([
      'ann@example.com',
      'ben@example.com',
    ])
    // A mapping onward: implicit synchronization knows it from the next change on.
    const onward = {
      mappings: [
        {
          name: 'user_dir',
          source: 'managed/user',
          target: 'system/dir/account',
          properties: ['_id', 'mail'].map((source) => ({
            source,
            target: source === '_id' ? 'uid' : source,
          })),
        },
      ],
    }
    expect((await put('sync', onward)).status).toBe(201)
    await call('PUT', 'managed/user/cleo', { body: { mail: 'cleo@example.com' } })
    expect(project.read('data/dir.csv')).toContain('cleo@example.com')
    const { body } = await call('GET', 'sync/mappings?_queryFilter=true')
    expect(body.result.map(({ _id }: { _id: string }) => _id)).toEqual(['user_dir', 'hr_user'])
  })

  it('keeps what it is given in conf/, byte for byte over a restart, and answers the same afterwards', async () => {
    await everything()
    const files = () =>
      readdirSync(project.path('conf'))
        .filter((name) => name.endsWith('.json'))
        .map((name) => [name, project.read(`conf/${name}`)])
    const before = files()
    expect(before.map(([name]) => name)).toContain('mapping-hr_user.json')
    const answer = await call('GET', 'config/mapping/hr_user')
    await server.stop()
    server = await serve(project)
    expect(files()).toEqual(before)
    expect((await call('GET', 'config/mapping/hr_user')).body).toEqual(answer.body)
    expect((await recon('hr_user')).body).toMatchObject({ state: 'SUCCESS' })
  })

  it('is given endpoints and schedules, changed and taken away', async () => {
    await empty()
    const endpoint = (source: string) => ({ type: 'text/javascript', source })
    await put('endpoint/hello', endpoint('({ greeting: "hello" })'))
    expect((await call('GET', 'endpoint/hello')).body).toMatchObject({ greeting: 'hello' })
    await put('endpoint/hello', endpoint('({ greeting: "goodbye" })'))
    expect((await call('GET', 'endpoint/hello')).body).toMatchObject({ greeting: 'goodbye' })
    expect((await call('DELETE', 'config/endpoint/hello')).status).toBe(200)
    expect((await call('GET', 'endpoint/hello')).status).toBe(404)

    const script = {
      type: 'text/javascript',
      source: "openidm.create('managed/role', null, { name: 'made' })",
    }
    const schedule = {
      ...{ type: 'simple', repeatInterval: 50, repeatCount: 0, invokeService: 'script' },
      invokeContext: { script },
    }
    expect((await put('schedule/once', schedule)).status).toBe(201)
    await expect
      .poll(async () => (await call('GET', 'managed/role?_queryFilter=true')).body.resultCount)
      .toBe(1)
  })
})

describe('a change of the configuration', () => {
  it('that is wrong is refused with a pointer, and nothing changes', async () => {
    await everything()
    const file = project.stamp('conf/mapping-hr_user.json')
    const wrong = { ...userMapping, policies: [{ situation: 'CONFRIMED', action: 'UPDATE' }] }
    const { status, body } = await put('mapping/hr_user', wrong)
    expect(status).toBe(400)
    expect(body.detail).toEqual([
      { pointer: '/policies/0/situation', message: expect.stringContaining('did you mean CONFIRMED?') },
    ])
    expect(project.stamp('conf/mapping-hr_user.json')).toEqual(file)
    expect((await recon('hr_user')).body).toMatchObject({ state: 'SUCCESS' })
    const script = { ...userMapping, onCreate: { type: 'text/javascript', source: 'target.x = = 1' } }
    expect((await put('mapping/hr_user', script)).status).toBe(400)
    expect((await put('mapping/other', { ...userMapping, source: 'system/nowhere/account' })).status).toBe(
      400,
    )
    expect((await call('GET', 'config/mapping/other')).status).toBe(404)
    expect((await put('nonsense', {})).status).toBe(201)
    for (const id of ['x'.repeat(300), 'a/b/c', '%2e%2e%2fescape', 'a-b', 'mapping/..%2f..%2fx'])
      expect((await put(id, {})).status).toBe(400)
  })

  it('that is doubtful is made, and answered with the warnings beside the content', async () => {
    await everything()
    const doubtful = {
      ...userMapping,
      validSource: { type: 'text/javascript', source: 'source.mial != null' },
    }
    const { status, body } = await put('mapping/hr_user', doubtful)
    expect(status).toBe(200)
    expect(body._warnings).toEqual([
      expect.objectContaining({
        severity: 'warning',
        pointer: '/validSource/source',
        suggestion: 'mail',
        line: expect.any(Number),
      }),
    ])
    // What is answered can be sent back.
    expect((await put('mapping/hr_user', body)).body._warnings).toHaveLength(1)
    expect(project.read('conf/mapping-hr_user.json')).not.toContain('_warnings')
    expect((await put('mapping/hr_user', userMapping)).body).not.toHaveProperty('_warnings')
  })

  it('can be validated, alone or together with others, and nothing is stored', async () => {
    await everything()
    const file = project.stamp('conf/mapping-hr_user.json')
    const validate = (path: string, body?: object) => call('POST', `${path}?_action=validate`, { body })
    const wrong = { ...userMapping, properties: [{ source: 'mial', target: 'mail' }], polices: [] }
    expect((await validate('config/mapping/hr_user', wrong)).body).toMatchObject({
      valid: false,
      problems: [
        {
          severity: 'error',
          pointer: '/polices',
          message: expect.stringContaining('did you mean policies?'),
        },
        { severity: 'warning', pointer: '/properties/0/source', suggestion: 'mail' },
      ],
    })
    expect((await validate('config/mapping/hr_user', userMapping)).body).toEqual({
      valid: true,
      problems: [],
    })
    expect((await validate('config')).body).toEqual({ valid: true, problems: [] })
    // Each needs the other.
    const together = {
      'mapping/new': { ...userMapping, target: 'managed/person' },
      managed: { objects: [{ name: 'role' }, { name: 'user' }, { name: 'person' }] },
    }
    expect((await validate('config', together)).body).toEqual({ valid: true, problems: [] })
    const gone = await validate('config', { 'provisioner.openicf/hr': null })
    expect(gone.body).toMatchObject({
      valid: false,
      problems: [{ file: 'conf/mapping-hr_user.json', pointer: '/source' }],
    })
    expect((await validate('config', { managed: [] })).status).toBe(400)
    expect((await validate('config/mapping/none')).status).toBe(404)
    expect(project.stamp('conf/mapping-hr_user.json')).toEqual(file)
    expect((await call('GET', 'config/mapping/new')).status).toBe(404)
  })

  it('that is nested too deep is refused by every way, and nothing is written', async () => {
    await everything()
    const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
    const before = (await call('GET', 'config')).body
    for (const levels of [257, 1100, 2000]) {
      expect((await put('deep', { x: deep(levels) })).status).toBe(400)
      const add = { operation: 'add', field: '/x', value: deep(levels) }
      expect((await call('PATCH', 'config/mapping/hr_user', { body: [add] })).status).toBe(400)
      const source = `var x = []; for (var i = 0; i < ${levels}; i++) x = [x]; openidm.create('config', 'deep', { x: x })`
      const body = { type: 'text/javascript', source }
      expect((await call('POST', 'script?_action=eval', { body })).status).toBe(400)
    }
    expect((await call('GET', 'config')).body).toEqual(before)
    expect(existsSync(project.path('conf/deep.json'))).toBe(false)
    await server.stop()
    server = await serve(project)
  })

  it('that would break something else is refused with 409', async () => {
    await everything()
    const gone = await call('DELETE', 'config/provisioner.openicf/hr')
    expect(gone.status).toBe(409)
    expect(gone.body.message).toContain('conf/mapping-hr_user.json')
    expect((await call('GET', 'system/hr/account?_queryFilter=true')).body.resultCount).toBe(2)
  })

  it('with a revision is made to that revision, and to no other', async () => {
    await everything()
    const { _rev } = (await call('GET', 'config/mapping/hr_user')).body
    const changed = { ...userMapping, displayName: 'People' }
    expect((await put('mapping/hr_user', changed, { 'If-None-Match': '*' })).status).toBe(412)
    expect((await put('mapping/hr_user', changed, { 'If-Match': 'another' })).status).toBe(412)
    const made = await put('mapping/hr_user', changed, { 'If-Match': _rev })
    expect(made.status).toBe(200)
    expect(made.body._rev).not.toBe(_rev)
    expect((await call('DELETE', 'config/mapping/hr_user', { headers: { 'If-Match': _rev } })).status).toBe(
      412,
    )
    expect((await put('mapping/ghost', changed, { 'If-Match': '*' })).status).toBe(404)
    expect((await call('POST', 'config/mapping?_action=create', { body: changed })).status).toBe(400)
  })

  it('by patch inserts, changes and removes elements by their positions', async () => {
    await everything()
    const mapping = (name: string) => ({ name, ...userMapping, enableSync: false })
    await put('sync', { mappings: [mapping('a')] })
    const names = ({ body }: { body: { mappings: { name: string }[] } }) =>
      body.mappings.map(({ name }) => name)
    const added = await patch('sync', [
      { operation: 'add', field: '/mappings/0', value: mapping('first') },
      { operation: 'add', field: '/mappings/-', value: mapping('last') },
      { operation: 'replace', field: '/mappings/0/properties', value: [{ target: 'mail', source: '' }] },
    ])
    expect(names(added)).toEqual(['first', 'a', 'last'])
    expect(added.body.mappings[0].properties).toEqual([{ target: 'mail', source: '' }])
    const removed = await patch('sync', [
      { operation: 'remove', field: '/mappings/2' },
      { operation: 'remove', field: '/mappings/0' },
    ])
    expect(names(removed)).toEqual(['a'])
    const beyond = await patch('sync', [{ operation: 'replace', field: '/mappings/9', value: mapping('x') }])
    expect([beyond.status, beyond.body.problem]).toEqual([400, 'BAD_PATCH'])
  })

  it('by patch appends mappings in order and leaves the rest of the file as it was written', async () => {
    await everything()
    const written = `{
    "mappings": [ ],
    "comment":    "kept by hand"
}
`
    project.write('conf/sync.json', written)
    const mapping = (name: string) => ({ name, ...userMapping, enableSync: false })
    await expect.poll(async () => (await call('GET', 'config/sync')).status).toBe(200)
    for (const name of ['b', 'a'])
      expect(
        (await patch('sync', [{ operation: 'add', field: '/mappings/-', value: mapping(name) }])).status,
      ).toBe(200)
    expect(
      (await call('GET', 'config/sync')).body.mappings.map(({ name }: { name: string }) => name),
    ).toEqual(['b', 'a'])
    expect(project.read('conf/sync.json')).toContain('"comment":    "kept by hand"')
    const script = {
      type: 'text/javascript',
      source: "value.filter(function (one) { return one.name !== 'b' })",
    }
    const taken = await patch('sync', [{ operation: 'transform', field: '/mappings', value: { script } }])
    expect(taken.body.mappings.map(({ name }: { name: string }) => name)).toEqual(['a'])
    const renamed = await patch('sync', [{ operation: 'replace', field: '/mappings/0/name', value: 'c' }])
    expect(renamed.body.mappings.map(({ name }: { name: string }) => name)).toEqual(['c'])
  })

  it('is refused while a run uses what would change, and possible when it has ended', async () => {
    await everything()
    // The run goes on until it is told to end.
    const source = `
      while (!openidm.read('managed/role/enough'))
        for (var until = Date.now() + 10; Date.now() < until; );
      true`
    await put('mapping/hr_user', { ...userMapping, validSource: { type: 'text/javascript', source } })
    const { body: run } = await call('POST', 'recon?_action=recon&mapping=hr_user')
    const refused = await put('mapping/hr_user', userMapping)
    expect(refused.status).toBe(409)
    expect(refused.body.message).toContain('a reconciliation of hr_user')
    expect(
      (await patch('provisioner.openicf/hr', [{ operation: 'add', field: '/displayName', value: 'HR' }]))
        .status,
    ).toBe(409)
    // What the run does not use may change.
    expect((await put('endpoint/other', { type: 'text/javascript', source: '({})' })).status).toBe(201)
    await call('PUT', 'managed/role/enough', { body: {} })
    await expect.poll(async () => (await call('GET', `recon/${run._id}`)).body.state).toBe('SUCCESS')
    expect((await put('mapping/hr_user', userMapping)).status).toBe(200)
  })

  it('that changes nothing writes nothing', async () => {
    await everything()
    const before = project.stamp('conf/mapping-hr_user.json')
    await put('mapping/hr_user', userMapping)
    expect(project.stamp('conf/mapping-hr_user.json')).toEqual(before)
  })
})

describe('the history of the configuration', () => {
  it('has every change with its author and difference, and any version can be put back byte for byte', async () => {
    await everything()
    const first = project.read('conf/mapping-hr_user.json')
    await put('mapping/hr_user', { ...userMapping, displayName: 'People' })
    await call('DELETE', 'config/mapping/hr_user')
    const versions = async () =>
      (await call('GET', 'config/history?_queryFilter=configId eq "mapping/hr_user"&_sortKeys=_id')).body
        .result
    const [created, updated, deleted] = await versions()
    expect(
      [created, updated, deleted].map(({ operation, userId, origin }) => [operation, userId, origin]),
    ).toEqual([
      ['create', 'openidm-admin', 'REST'],
      ['update', 'openidm-admin', 'REST'],
      ['delete', 'openidm-admin', 'REST'],
    ])
    expect(updated.after.displayName).toBe('People')
    const { body: audit } = await call(
      'GET',
      'audit/config?_queryFilter=objectId eq "config/mapping/hr_user"',
    )
    expect(
      audit.result.map(({ operation, changedFields }: Record<string, unknown>) => [operation, changedFields]),
    ).toContainEqual(['UPDATE', ['/displayName']])
    const back = await call('POST', `config/mapping/hr_user?_action=rollback&version=${created._id}`)
    expect(back.status).toBe(200)
    expect(project.read('conf/mapping-hr_user.json')).toBe(first)
    expect((await recon('hr_user')).body).toMatchObject({ state: 'SUCCESS' })
    expect(await versions()).toHaveLength(4)
    expect((await call('POST', 'config/sync?_action=rollback&version=ghost')).status).toBe(404)
  })
})

describe('a file of the project that is edited', () => {
  it('is reloaded, and so is a script', async () => {
    await everything()
    project.write('script/shout.js', 'source.toUpperCase()')
    const shouting = {
      source: 'mail',
      target: 'mail',
      transform: { type: 'text/javascript', file: 'script/shout.js' },
    }
    project.edit('conf/mapping-hr_user.json', (text) =>
      JSON.stringify({ ...JSON.parse(text), properties: [shouting] }),
    )
    const mails = async () => {
      await recon('hr_user')
      const { body } = await call('GET', 'managed/user?_queryFilter=true&_sortKeys=mail')
      return body.result.map(({ mail }: { mail: string }) => mail)
    }
    // With time between the runs: what is in use is not replaced.
    await expect.poll(mails, { interval: 150 }).toEqual(['ANN@EXAMPLE.COM', 'BEN@EXAMPLE.COM'])
    project.write('script/shout.js', "source.toLowerCase() + '!'")
    await expect.poll(mails, { interval: 150 }).toEqual(['ann@example.com!', 'ben@example.com!'])
    const { body } = await call(
      'GET',
      'config/history?_queryFilter=origin eq "FILE" and operation eq "update"',
    )
    expect(body.result).toMatchObject([{ configId: 'mapping/hr_user', userId: 'system' }])
  })

  it('and broken is reported in the log; the old content stays in force until the file is valid again', async () => {
    await everything()
    const text = project.read('conf/mapping-hr_user.json')
    project.write('conf/mapping-hr_user.json', text.slice(0, 40))
    await expect.poll(() => server.log()).toContain('conf/mapping-hr_user.json')
    expect((await recon('hr_user')).body).toMatchObject({ state: 'SUCCESS' })
    // It can be repaired over REST; the edited text is in the history.
    expect((await put('mapping/hr_user', { ...userMapping, displayName: 'Repaired' })).status).toBe(200)
    expect(JSON.parse(project.read('conf/mapping-hr_user.json')).displayName).toBe('Repaired')
    expect(
      (await call('GET', 'config/history?_queryFilter=configId eq "mapping/hr_user"')).body.result,
    ).toContainEqual(
      expect.objectContaining({
        origin: 'FILE',
        after: { unreadable: expect.stringContaining('40 characters') },
      }),
    )
  })

  it('may be that of the properties: scripts and placeholders see what they are now', async () => {
    await empty()
    const source = "({ greeting: identityServer.getProperty('greeting') })"
    await put('endpoint/hello', { type: 'text/javascript', source })
    const greeting = async () => (await call('GET', 'endpoint/hello')).body.greeting
    for (const text of ['hello', 'goodbye']) {
      project.write('conf/boot/boot.properties', `greeting=${text}\n`)
      await expect.poll(greeting).toBe(text)
    }
  })

  it('keeps its line breaks and tabs when it is changed over REST, whatever its first character', async () => {
    await empty()
    const written = '\uFEFF{\r\n\t"type": "text/javascript",\r\n\t"source":   "({ a: 1 })"\r\n}\r\n'
    project.write('conf/endpoint-marked.json', written)
    const read = async () => (await call('GET', 'endpoint/marked')).body.a
    await expect.poll(read).toBe(1)
    const body = [{ operation: 'replace', field: '/source', value: '({ a: 2 })' }]
    expect((await call('PATCH', 'config/endpoint/marked', { body })).status).toBe(200)
    expect(project.read('conf/endpoint-marked.json')).toBe(written.slice(1).replace('a: 1', 'a: 2'))
    const { body: history } = await call('GET', 'config/history?_queryFilter=configId eq "endpoint/marked"')
    expect(history.result.map(({ operation }: { operation: string }) => operation)).toEqual([
      'create',
      'update',
    ])
  })

  it('and deletes is gone', async () => {
    await everything()
    rmSync(project.path('conf/mapping-hr_user.json'))
    await expect.poll(async () => (await recon('hr_user')).status).toBe(409)
  })
})

describe('secrets in the configuration', () => {
  const planted = 'pl4nted-s3cret'
  const withSecret = (secret: unknown) => ({
    ...csvConnector('hr', ['id', 'mail']),
    configurationProperties: {
      csvFile: '&{launcher.project.location}/data/hr.csv',
      headerUid: 'id',
      apiSecret: secret,
    },
  })

  it('are encrypted in file and history, never answered in clear, and kept when they are sent back as they were answered', async () => {
    await empty()
    await put('provisioner.openicf/hr', withSecret(planted))
    expect(project.read('conf/provisioner.openicf-hr.json')).toContain('AES/GCM/NoPadding')
    const { body } = await call('GET', 'config/provisioner.openicf/hr')
    expect(body.configurationProperties.apiSecret.$crypto).toBeDefined()
    const encrypted = project.read('conf/provisioner.openicf-hr.json')
    const { _id, _rev, ...content } = body
    await put('provisioner.openicf/hr', { ...content, displayName: 'HR' })
    expect(JSON.parse(project.read('conf/provisioner.openicf-hr.json'))).toEqual({
      ...JSON.parse(encrypted),
      displayName: 'HR',
    })
    expect(statSync(project.path('.syncline/key')).mode & 0o777).toBe(0o600)
    await server.stop()
    for (const file of [
      'conf/provisioner.openicf-hr.json',
      '.syncline/syncline.db',
      '.syncline/syncline.db-wal',
    ])
      expect(readIfThere(file)).not.toContain(planted)
  })

  it('cannot be found out by asking the history for them', async () => {
    await empty()
    await put('endpoint/x', { type: 'text/javascript', source: '({})', globals: { password: planted } })
    for (const query of ['_queryFilter=after co "pl4"', '_queryFilter=true&_sortKeys=before'])
      expect((await call('GET', `config/history?${query}`)).status).toBe(400)
  })

  it('in clear in a file are encrypted when the server starts, and the rest of the file stays as it is', async () => {
    await empty()
    await server.stop()
    const text = JSON.stringify(withSecret(planted), null, 4)
    project.write('conf/provisioner.openicf-hr.json', text)
    server = await serve(project)
    const after = project.read('conf/provisioner.openicf-hr.json')
    expect(after).not.toContain(planted)
    expect(after.split('"apiSecret"')[0]).toBe(text.split('"apiSecret"')[0])
    expect((await call('GET', 'system/hr/account?_queryFilter=true')).body.resultCount).toBe(2)
    expect(server.log()).not.toContain(planted)
  })

  it('in clear in an edited file are encrypted as soon as the server sees them', async () => {
    await empty()
    project.write('conf/provisioner.openicf-hr.json', withSecret(planted))
    const text = () => project.read('conf/provisioner.openicf-hr.json')
    await expect.poll(text).not.toContain(planted)
    expect((await call('GET', 'system/hr/account?_queryFilter=true')).body.resultCount).toBe(2)
    await server.stop()
    for (const file of ['.syncline/syncline.db', '.syncline/syncline.db-wal'])
      expect(readIfThere(file)).not.toContain(planted)
  })

  function readIfThere(file: string): string {
    try {
      return project.bytes(file).toString('latin1')
    } catch {
      return ''
    }
  }
})

describe('the command line', () => {
  it('lists versions and restores one, which a running server reloads', async () => {
    await everything()
    await put('mapping/hr_user', { ...userMapping, displayName: 'People' })
    const { out } = project.syncline(['config', 'history', 'mapping/hr_user'])
    const [first = ''] = out.split('\n')
    expect(first).toMatch(/create {2}mapping\/hr_user {2}by openidm-admin$/)
    const [id = ''] = first.split(' ')
    expect(project.syncline(['config', 'rollback', 'mapping/hr_user', '--to', id]).code).toBe(0)
    const displayName = async () => (await call('GET', 'config/mapping/hr_user')).body.displayName ?? 'none'
    await expect.poll(displayName).toBe('none')
    expect(project.syncline(['config', 'rollback', 'mapping/hr_user', '--to', 'ghost']).err).toContain(
      'ghost',
    )
  })
})

describe('a mapping of sync.json', () => {
  const mappings = ['first', 'second', 'third'].map((name) => ({ name, ...userMapping }))
  beforeEach(async () => {
    await everything()
    expect((await put('sync', { mappings })).status).toBeLessThan(300)
  })

  it('is read and changed by its name, and stays where it is', async () => {
    const { body } = await call('GET', 'config/mapping/second')
    expect(body).toEqual({ _id: 'mapping/second', _rev: expect.any(String), ...mappings[1] })
    const changed = { ...body, enableSync: false }
    expect((await put('mapping/second', changed, { 'If-Match': body._rev })).body).toMatchObject({
      enableSync: false,
    })
    expect((await put('mapping/second', changed, { 'If-Match': body._rev })).status).toBe(412)
    const patched = await patch('mapping/third', [
      { operation: 'add', field: '/displayName', value: 'Third' },
    ])
    expect(patched.body).toMatchObject({ _id: 'mapping/third', displayName: 'Third' })
    expect(JSON.parse(project.read('conf/sync.json'))).toEqual({
      mappings: [
        mappings[0],
        { ...mappings[1], enableSync: false },
        { ...mappings[2], displayName: 'Third' },
      ],
    })
  })

  it('is validated, deleted, and not made a second time', async () => {
    const wrong = { ...userMapping, polices: [] }
    const { body } = await call('POST', 'config/mapping/second?_action=validate', { body: wrong })
    expect(body).toMatchObject({
      valid: false,
      problems: [{ file: 'conf/sync.json', pointer: '/mappings/1/polices' }],
    })
    expect((await put('mapping/second', { ...userMapping, name: 'other' })).status).toBe(400)
    expect((await put('mapping/second', userMapping, { 'If-None-Match': '*' })).status).toBe(412)
    expect((await call('DELETE', 'config/mapping/second')).body).toMatchObject({ name: 'second' })
    expect((await call('GET', 'config/mapping/second')).status).toBe(404)
    expect(JSON.parse(project.read('conf/sync.json')).mappings).toEqual([mappings[0], mappings[2]])
  })
})

describe('script files over REST', () => {
  it('are made, used, changed, listed and taken away', async () => {
    await everything()
    const path = 'script/files/lib/mail.js'
    const source = 'source.toUpperCase()'
    expect(
      (await call('PUT', path, { body: { content: source }, headers: { 'If-None-Match': '*' } })).status,
    ).toBe(201)
    const properties = [
      { source: 'mail', target: 'mail', transform: { type: 'text/javascript', file: 'script/lib/mail.js' } },
    ]
    expect((await put('mapping/hr_user', { ...userMapping, properties })).status).toBe(200)
    await recon('hr_user')
    const mails = async () => {
      const { body } = await call('GET', 'managed/user?_queryFilter=true&_sortKeys=mail')
      return body.result.map(({ mail }: { mail: string }) => mail)
    }
    expect(await mails()).toEqual(['ANN@EXAMPLE.COM', 'BEN@EXAMPLE.COM'])
    const { body } = await call('GET', path)
    expect(body).toEqual({ _id: 'lib/mail.js', _rev: expect.any(String), content: source })
    const next = { content: 'source.toLowerCase()' }
    expect((await call('PUT', path, { body: next, headers: { 'If-Match': body._rev } })).status).toBe(200)
    expect((await call('PUT', path, { body: next, headers: { 'If-Match': body._rev } })).status).toBe(412)
    await recon('hr_user')
    expect(await mails()).toEqual(['ann@example.com', 'ben@example.com'])
    const list = await call('GET', 'script/files?_queryFilter=true&_fields=_id')
    expect(list.body.result.map(({ _id }: { _id: string }) => _id)).toEqual(['lib/mail.js'])
    await put('mapping/hr_user', userMapping)
    expect((await call('DELETE', path)).status).toBe(200)
    expect((await call('GET', path)).status).toBe(404)
  })

  it('that do not compile, or lie elsewhere, are refused', async () => {
    await empty()
    const send = (path: string, content: string) => call('PUT', `script/files/${path}`, { body: { content } })
    expect((await send('a.js', 'source..mail')).body.message).toMatch(
      /script\/a\.js is not changed: .*line 1/,
    )
    expect((await send('module.js', 'return 1')).status).toBe(201)
    for (const path of ['..%2fconf%2fsync.json', '%2e%2e/conf/sync.json', 'a.sh', '.hidden.js', 'a%00.js'])
      expect([400, 404, 501]).toContain((await send(path, '1')).status)
  })
})

describe('an empty folder', () => {
  it('is served, and configured over REST alone', async () => {
    using folder = new TestProject()
    await using fresh = await serve(folder)
    expect((await fresh.call('GET', 'config')).body.configurations).toEqual([])
    for (const [id, body] of Object.entries({
      managed: { objects: [{ name: 'person' }] },
      'endpoint/hello': { type: 'text/javascript', source: "({ hello: 'you' })" },
    }))
      expect((await fresh.call('PUT', `config/${id}`, { body })).status).toBe(201)
    expect((await fresh.call('GET', 'endpoint/hello')).body).toMatchObject({ hello: 'you' })
    expect(
      (await fresh.call('POST', 'managed/person?_action=create', { body: { name: 'Ann' } })).status,
    ).toBe(201)
  })
})
