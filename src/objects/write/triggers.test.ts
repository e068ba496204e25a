import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { fileSecrets } from '../../config/secrets.ts'
import type { JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { scriptSource } from '../../scripts/definition.ts'
import { isolateEngine } from '../../scripts/isolate-engine.ts'
import { script } from '../../testing/script.ts'
import { temporaryStore } from '../../testing/store.ts'
import { managedObjects } from '../resource.ts'
import { declaredScripts, loadedScripts } from '../type/scripts.ts'
import type { ManagedType } from '../type/type.ts'
import type { ObjectChange, OnChange } from './changes.ts'

/** The scripts of managed objects, run for real: in which order, with which variables, to what effect (platform §6.2). */
const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const client: RequestContext = { ...own, external: true }

let close = async () => {}
afterEach(() => close())

interface Heard extends OnChange {
  readonly changes: ObjectChange[]
}

async function open(type: JsonObject, options: { readonly fails?: boolean; readonly timeout?: number } = {}) {
  const store = await temporaryStore()
  const { repository, folder } = store
  const said: string[] = []
  let resources: Resources
  const secrets = fileSecrets({ keyFile: join(folder, 'key'), env: {} })
  const engine = isolateEngine({
    resources: () => resources,
    secrets,
    properties: () => undefined,
    projectFolder: folder,
    log: (_level, _label, message) => said.push(message),
    ...(options.timeout !== undefined && { timeout: options.timeout }),
  })
  const user = { name: 'user', ...type } as ManagedType
  const scripts = Object.fromEntries(
    declaredScripts(user).map(({ name, definition }) => {
      const read = scriptSource(definition, { label: name, readFile: () => undefined })
      if (!read.ok) throw new Error(read.finding.message)
      return [name, read.value]
    }),
  )
  const changes: ObjectChange[] = []
  const heard: Heard = {
    changes,
    concerns: () => true,
    enlist: async () => {},
    withdraw: async () => {},
    async notify(some) {
      changes.push(...some)
      said.push(`sync ${some[0]?.operation}`)
      const cause = { code: 409, message: 'the payroll is closed' }
      const syncDetails = options.fails
        ? [{ result: 'FAILED', cause, oldTargetValue: { pin: 'planted' } }]
        : []
      return some.map(() => ({ success: !options.fails, action: 'notifyUpdate', syncDetails }))
    },
  }
  const loaded = loadedScripts({ type: user, scripts }, engine)
  const parts = { scripts: loaded, cryptography: secrets }
  resources = router({
    managed: await managedObjects({ repository, types: [user], partsOf: () => parts, onChange: heard }),
  })
  close = async () => {
    await loaded[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { resources, said, changes, repository, secrets }
}

const path = 'managed/user/ann'
const ann = { userName: 'ann', mail: 'ann@x' }

/** Logs its name and, of some variables, the value. */
const saying = (name: string, ...shown: string[]) =>
  script(`logger.info(['${name}'].concat([${shown.join(', ')}].map(String)).join(' '))`)

const hooks = {
  onCreate: saying('onCreate', 'object.mail', 'object === newObject', 'resourceName'),
  onUpdate: saying('onUpdate', 'oldObject.mail', 'object.mail', 'newObject.mail'),
  onDelete: saying('onDelete', 'object.mail'),
  postCreate: saying('postCreate', 'object.mail'),
  postUpdate: saying('postUpdate', 'oldObject.mail', 'object.mail'),
  postDelete: saying('postDelete', 'object', 'oldObject.mail'),
  onValidate: saying('onValidate', 'object.mail'),
  onStore: saying('onStore', 'object.mail'),
  onSync: saying(
    'onSync',
    'syncResults.success',
    'newObject ? newObject.mail : null',
    'oldObject ? oldObject.mail : null',
  ),
  schema: {
    properties: {
      mail: {
        type: 'string',
        onValidate: saying('mail/onValidate', 'value', 'property'),
        onStore: script(
          "logger.info('mail/onStore ' + property + ' ' + propertyName); property.toLowerCase()",
        ),
      },
    },
  },
}

describe('the resource name that scripts see', () => {
  it.each(['a/b', 'a%2Fb', '100%', 'josé'])('leads to the object %j', async (id) => {
    const calling = {
      onRead: saying('onRead', 'resourceName'),
      postCreate: saying('postCreate', 'resourceName'),
    }
    const { resources, said } = await open(calling)
    await resources.create('managed/user', id, ann, own)
    const path = `managed/user/${encodeURIComponent(id)}`
    expect(await resources.read(path, own)).toMatchObject({ _id: id })
    expect(said.filter((line) => line.startsWith('onRead ') || line.startsWith('post'))).toEqual([
      `postCreate ${path}`,
      `onRead ${path}`,
    ])
  })
})

describe('the scripts of a managed object run in order', () => {
  it('when it is made, changed and deleted; synchronization follows what is stored', async () => {
    const { resources, said } = await open(hooks)
    await resources.create('managed/user', 'ann', { ...ann, mail: 'ANN@x' }, own)
    expect(said).toEqual([
      'onCreate ANN@x true managed/user/ann',
      'mail/onValidate ANN@x mail',
      'onValidate ANN@x',
      'mail/onStore ANN@x mail',
      'onStore ann@x',
      'postCreate ann@x',
      'sync create',
      'onSync true ann@x null',
    ])
    said.length = 0
    await resources.update(path, undefined, { ...ann, mail: 'new@x' }, own)
    expect(said).toEqual([
      'onUpdate ann@x new@x new@x',
      'mail/onValidate new@x mail',
      'onValidate new@x',
      'mail/onStore new@x mail',
      'onStore new@x',
      'postUpdate ann@x new@x',
      'sync update',
      'onSync true new@x ann@x',
    ])
    said.length = 0
    await resources.delete(path, undefined, own)
    expect(said).toEqual(['onDelete new@x', 'postDelete null new@x', 'sync delete', 'onSync true null new@x'])
  })

  it('but not when nothing changes', async () => {
    const { resources, said } = await open(hooks)
    await resources.create('managed/user', 'ann', ann, own)
    said.length = 0
    await resources.update(path, undefined, ann, own)
    await resources.patch(
      path,
      undefined,
      parsePatch([{ operation: 'replace', field: '/mail', value: 'ann@x' }]),
      own,
    )
    expect(said).toEqual([])
  })
})

describe('a script', () => {
  it('before the write changes what is stored', async () => {
    const { resources } = await open({
      onCreate: script("object.mail = object.userName + '@example.com'"),
      onStore: script("object.stamp = 'stored'"),
    })
    const created = await resources.create('managed/user', 'ann', { userName: 'ann' }, own)
    expect(created).toMatchObject({ mail: 'ann@example.com', stamp: 'stored' })
    expect(await resources.read(path, own)).toEqual(created)
  })

  it.each(['onCreate', 'onStore'])('%s that throws prevents the write, and keeps its code', async (hook) => {
    const { resources, changes } = await open({ [hook]: script("throw { code: 422, message: 'no' }") })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({ status: 422 })
    await expect(resources.read(path, own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(changes).toEqual([])
  })

  it('that throws anything else is a 500 that names the hook', async () => {
    const { resources } = await open({ onCreate: script("throw 'no'") })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({
      ...{ status: 500, message: expect.stringContaining('onCreate') },
    })
  })

  it('onDelete that throws prevents the deletion', async () => {
    const { resources } = await open({ onDelete: script("throw { code: 403, message: 'keep' }") })
    await resources.create('managed/user', 'ann', ann, own)
    await expect(resources.delete(path, undefined, own)).rejects.toMatchObject({ status: 403 })
    expect(await resources.read(path, own)).toMatchObject(ann)
  })

  it.each([
    ['of the object', { onValidate: script("if (object.mail === 'bad') { throw 'mail is bad' }") }],
    [
      'of a property',
      {
        schema: {
          properties: { mail: { onValidate: script("if (value === 'bad') { throw 'mail is bad' }") } },
        },
      },
    ],
  ])('onValidate %s refuses with 403 and its text', async (_what, type) => {
    const { resources } = await open(type)
    await expect(resources.create('managed/user', 'ann', { mail: 'bad' }, own)).rejects.toMatchObject({
      ...{ status: 403, message: expect.stringContaining('mail is bad') },
    })
  })

  it.each([
    ['403', "{ code: 403, message: 'm', detail: { a: 1 } }", { status: 403, message: 'm', detail: { a: 1 } }],
    ['another one', "{ code: 409, message: 'taken', detail: 'by bob' }", { status: 409, detail: 'by bob' }],
    ['one that is no error', "{ code: 200, message: 'fine' }", { status: 500, message: 'fine' }],
    ['one as text', "{ code: '400', message: 'm' }", { status: 403, message: expect.stringContaining('m') }],
  ])('onValidate that throws with the code %s answers with it', async (_which, thrown, answer) => {
    for (const type of [
      { onValidate: script(`throw ${thrown}`) },
      { schema: { properties: { mail: { onValidate: script(`throw ${thrown}`) } } } },
    ]) {
      const { resources } = await open(type)
      const create = resources.create('managed/user', 'ann', ann, own)
      await expect(create).rejects.toMatchObject({ code: 'POLICY_FAILED', ...answer })
    }
  })

  it('onValidate that never ends has refused nobody: it fails as any other script', async () => {
    const { resources } = await open({ onValidate: script('for (;;) {}') }, { timeout: 300 })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({
      ...{ code: 'SCRIPT_TIMEOUT', status: 500 },
    })
  })

  it.each<[string, (resources: Resources) => Promise<unknown>, object | undefined]>([
    ['postCreate', (resources) => resources.create('managed/user', 'bob', ann, own), undefined],
    [
      'postUpdate',
      (resources) => resources.update('managed/user/old', undefined, { mail: 'new@x' }, own),
      ann,
    ],
    ['postDelete', (resources) => resources.delete('managed/user/old', undefined, own), ann],
  ])('%s that throws takes the write back, and nothing is synchronized', async (hook, act, left) => {
    const throws = script("if (openidm.read('managed/user/armed')) { throw { code: 409, message: 'no' } }")
    const { resources, changes } = await open({ [hook]: throws })
    await resources.create('managed/user', 'old', ann, own)
    await resources.create('managed/user', 'armed', { userName: 'armed' }, own).catch(() => {})
    const armed = resources.read('managed/user/armed', own).then(
      () => true,
      () => false,
    )
    if (!(await armed)) return expect(hook).toBe('postCreate')
    changes.length = 0
    await expect(act(resources)).rejects.toMatchObject({ status: 409 })
    const found = resources.read('managed/user/old', own).catch(() => undefined)
    if (left) expect(await found).toMatchObject(left)
    expect(changes).toEqual([])
  })

  it('postCreate that throws leaves no object behind', async () => {
    const { resources, changes } = await open({ postCreate: script("throw { code: 409, message: 'no' }") })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({ status: 409 })
    await expect(resources.read(path, own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(changes).toEqual([])
  })

  it('onSync that throws is what the client gets; the change stays', async () => {
    const onSync = script(
      'if (!syncResults.success) { throw { code: 503, message: syncResults.syncDetails[0].cause.message } }',
    )
    const { resources } = await open({ onSync }, { fails: true })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({
      ...{ status: 503, message: expect.stringContaining('the payroll is closed') },
    })
    expect(await resources.read(path, own)).toMatchObject(ann)
  })

  it('of reading computes virtual values, which are not stored, and may drop objects from results', async () => {
    const { resources, repository } = await open({
      schema: {
        properties: {
          fullName: { isVirtual: true, returnByDefault: true, onRetrieve: script("object.userName + '!'") },
        },
      },
      onQueryResult: script("object.userName !== 'hidden'"),
      onRead: script("object.readAt = 'now'"),
    })
    await resources.create('managed/user', 'ann', ann, own)
    await resources.create('managed/user', 'bob', { userName: 'hidden' }, own)
    expect(await resources.read(path, own)).toMatchObject({ fullName: 'ann!', readAt: 'now' })
    expect((await repository.objects.read('managed/user', ['ann'])).get('ann')).not.toHaveProperty('fullName')
    const filter = { kind: 'literal', value: true } as const
    const plain = await resources.query('managed/user', { filter }, own)
    expect(plain.result.map(({ _id, fullName }) => [_id, fullName])).toEqual([['ann', undefined]])
    const computed = await resources.query(
      'managed/user',
      { filter, parameters: { executeOnRetrieve: 'true' } },
      own,
    )
    expect(computed.result[0]).toMatchObject({ fullName: 'ann!' })
  })

  it('of an action answers with its value', async () => {
    const greet = script(
      "({ greeting: 'Hello ' + object.userName + ' from ' + request.additionalParameters.by })",
    )
    const { resources } = await open({ actions: { greet } })
    await resources.create('managed/user', 'ann', ann, own)
    const action = { name: 'greet', content: null, parameters: { by: 'bob' } }
    expect(await resources.action(path, action, own)).toEqual({ greeting: 'Hello ann from bob' })
    await expect(resources.action(path, { ...action, name: 'other' }, own)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })
})

describe('the compensation', () => {
  const compensating = { onSync: { type: 'text/javascript', file: 'compensate.js' } }

  it('takes back a change that could not be synchronized, and says why; nothing is compensated twice', async () => {
    const { resources, changes } = await open(compensating, { fails: true })
    await expect(resources.create('managed/user', 'ann', ann, own)).rejects.toMatchObject({
      ...{ status: 409, message: expect.stringContaining('the payroll is closed') },
      // What the target held is for scripts that set it back.
      detail: [expect.not.objectContaining({ oldTargetValue: expect.anything() })],
    })
    await expect(resources.read(path, own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(changes.map(({ operation }) => operation)).toEqual(['create', 'delete'])
  })
})

describe('what is private', () => {
  const type = {
    schema: {
      properties: {
        password: { type: 'string', encryption: { key: 'openidm-sym-default' }, scope: 'private' },
        pin: { type: 'string', secureHash: { algorithm: 'SHA-256' } },
        note: { type: 'string', scope: 'private' },
        photo: { type: 'string', returnByDefault: false },
      },
    },
  }
  const secret = { ...ann, password: 'Passw0rd', pin: '1234', note: 'psst', photo: 'jpeg' }

  it('is stored encrypted or hashed, and never in clear', async () => {
    const { resources, repository, secrets } = await open(type)
    await resources.create('managed/user', 'ann', secret, own)
    const stored = (await repository.objects.read('managed/user', ['ann'])).get('ann') as JsonObject
    expect(JSON.stringify(stored)).not.toMatch(/Passw0rd|1234/)
    expect(await secrets.decrypt(stored.password ?? null)).toBe('Passw0rd')
    expect(await secrets.matches('1234', stored.pin ?? null)).toBe(true)
    const { isSecret } = resources.objectSet('managed/user')
    expect(['password', 'pin', 'note', 'mail'].map((name) => isSecret?.([name]))).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  it('is not seen from outside, and not erased by a caller who does not see it', async () => {
    const { resources } = await open(type)
    await resources.create('managed/user', 'ann', secret, own)
    const seen = await resources.read(path, client)
    expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['password']))
    expect(seen).not.toHaveProperty('note')
    expect(seen).not.toHaveProperty('photo')
    expect(await resources.read(path, { ...client, fields: [['photo']] })).toMatchObject({ photo: 'jpeg' })
    await resources.update(path, undefined, { ...ann, pin: '1234', photo: 'jpeg', mail: 'new@x' }, client)
    expect(await resources.read(path, own)).toMatchObject({
      note: 'psst',
      mail: 'new@x',
      password: { $crypto: {} },
    })
  })

  it('that is written again as it is, is no change', async () => {
    const { resources, changes } = await open(type)
    await resources.create('managed/user', 'ann', secret, own)
    changes.length = 0
    const { _rev } = await resources.read(path, own)
    await resources.update(path, undefined, secret, own)
    expect((await resources.read(path, own))._rev).toBe(_rev)
    expect(changes).toEqual([])
  })
})

describe('the action triggerSyncCheck', () => {
  it('stores and carries on virtual values that have changed, and those only', async () => {
    const { resources, changes } = await open({
      schema: {
        properties: {
          size: { isVirtual: true, returnByDefault: true, onRetrieve: script('object.userName.length') },
        },
      },
    })
    await resources.create('managed/user', 'ann', ann, own)
    changes.length = 0
    const check = { name: 'triggerSyncCheck', content: null, parameters: {} }
    expect(await resources.action(path, check, own)).toEqual({ status: 'OK', countTriggered: 1 })
    expect(changes.map(({ operation, after }) => [operation, after?.size])).toEqual([['update', 3]])
    await resources.action('managed/user', { ...check, parameters: { _queryFilter: 'true' } }, own)
    expect(changes).toHaveLength(1)
  })
  it.each([[{}], [{ _queryfilter: 'userName pr' }], [{ _queryId: 'query-all' }]])(
    'needs to be told that it means a whole type: %o does not',
    async (parameters) => {
      const { resources } = await open({})
      const check = { name: 'triggerSyncCheck', content: null, parameters }
      await expect(resources.action('managed/user', check, own)).rejects.toThrow(
        'triggerSyncCheck on managed/user needs _queryFilter',
      )
    },
  )
})
