import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import { parsePointer } from '../../model/pointer.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import { managedObjects } from '../resource.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { plainParts } from '../type/compile.ts'
import { noScripts } from '../type/scripts.ts'
import type { ManagedType } from '../type/type.ts'
import type { ObjectChange, OnChange } from '../write/changes.ts'

const context: RequestContext = { external: true, userId: 'admin', roles: [], transactionId: 't' }

const to = (path: string, reverse: string, more: JsonObject = {}): JsonObject => ({
  ...{
    type: 'relationship',
    reverseRelationship: reverse !== '',
    reversePropertyName: reverse,
    validate: true,
  },
  resourceCollection: [{ path, label: path, query: { queryFilter: 'true', fields: ['userName'] } }],
  ...more,
})
const many = (items: JsonObject): JsonObject => ({ type: 'array', items })
const text = { type: 'string' }

const typesWith = (user: JsonObject = {}, role: JsonObject = {}): readonly ManagedType[] =>
  managedTypes({
    objects: [
      {
        name: 'user',
        schema: {
          properties: {
            ...{ userName: text, mail: text, password: { ...text, scope: 'private' } },
            manager: to('managed/user', 'reports'),
            reports: many(to('managed/user', 'manager')),
            groups: many(to('managed/group', 'people')),
            desk: to('managed/desk', 'owner'),
            accounts: many(to('system/ldap/account', '', { validate: false })),
            ...user,
          },
        },
      },
      {
        name: 'group',
        schema: { properties: { name: text, people: many(to('managed/user', 'groups')), ...role } },
      },
      { name: 'desk', schema: { properties: { place: text, owner: to('managed/user', 'desk') } } },
    ],
  })

let store: TemporaryStore
let repository: Repository
let resources: Resources
let heard: ObjectChange[]
const listener: OnChange = {
  concerns: () => true,
  enlist: async () => {},
  withdraw: async () => {},
  async notify(changes) {
    heard.push(...changes)
    return changes.map(() => ({ success: true, action: 'notifyUpdate', syncDetails: [] }))
  },
}

async function open(types = typesWith()) {
  const managed = await managedObjects({
    ...{ repository, types, onChange: listener },
    resources: () => ({
      read: async (path) => ({ _id: 'x', mail: `${path}@ldap` }),
    }),
  })
  resources = router({ managed })
}

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  heard = []
  await open()
  for (const id of ['boss', 'chief']) await create(`managed/user/${id}`, { userName: id, mail: `${id}@x` })
  for (const id of ['red', 'blue']) await create(`managed/group/${id}`, { name: id })
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

const parts = (path: string) => ({
  set: path.slice(0, path.lastIndexOf('/')),
  id: path.slice(path.lastIndexOf('/') + 1),
})
const create = (path: string, content: JsonObject) =>
  resources.create(parts(path).set, parts(path).id, content, context)
const update = (path: string, content: JsonObject, rev?: string) =>
  resources.update(path, rev, content, context)
const patch = (path: string, ...operations: JsonObject[]) =>
  resources.patch(path, undefined, parsePatch(operations), context)
const read = (path: string, fields?: string) =>
  resources.read(path, {
    ...context,
    ...(fields !== undefined && { fields: fields.split(',').map(parsePointer) }),
  })
const ids = async (path: string, filter: string) =>
  (await resources.query(path, { filter: parseFilter(filter) }, context)).result.map(({ _id }) => _id)
/** What a relationship property refers to, in short. */
const shown = async (path: string, property: string): Promise<Json> => {
  const value = (await read(path, property))[property] ?? null
  const short = (one: Json) => String((one as JsonObject)._ref).replace(/^managed\//, '')
  return Array.isArray(value) ? value.map(short) : value === null ? null : short(value)
}
const ref = (path: string, properties?: JsonObject): JsonObject => ({
  _ref: `managed/${path}`,
  ...(properties && { _refProperties: properties }),
})

describe('a relationship', () => {
  it('that one side sets is seen from both, and in no answer that does not ask for it', async () => {
    const created = await create('managed/user/ann', {
      userName: 'ann',
      manager: ref('user/boss'),
      groups: [ref('group/red')],
    })
    expect(created).toEqual({ _id: 'ann', _rev: created._rev, userName: 'ann' })
    expect(await shown('managed/user/boss', 'reports')).toEqual(['user/ann'])
    expect(await shown('managed/group/red', 'people')).toEqual(['user/ann'])
    const { manager } = await read('managed/user/ann', 'manager')
    expect(manager).toEqual({
      ...ref('user/boss'),
      ...{ _refResourceCollection: 'managed/user', _refResourceId: 'boss' },
      _refProperties: { _id: expect.any(String), _rev: expect.any(String) },
    })
    expect(await read('managed/user/ann')).toEqual(created)
  })

  it('set from the other side moves: one manager gives way to the next', async () => {
    await create('managed/user/ann', { manager: ref('user/boss') })
    await update('managed/user/chief', { userName: 'chief', reports: [ref('user/ann')] })
    expect([await shown('managed/user/ann', 'manager'), await shown('managed/user/boss', 'reports')]).toEqual(
      ['user/chief', []],
    )
    await create('managed/desk/d1', { owner: ref('user/ann') })
    await create('managed/desk/d2', { owner: ref('user/ann') })
    expect([await shown('managed/user/ann', 'desk'), await shown('managed/desk/d1', 'owner')]).toEqual([
      'desk/d2',
      null,
    ])
  })

  it('gives the other end a new revision where it is the only one there', async () => {
    const { _rev } = await create('managed/user/ann', {})
    const group = await read('managed/group/red')
    await update('managed/user/boss', { userName: 'boss', reports: [ref('user/ann')] })
    expect((await read('managed/user/ann'))._rev).not.toBe(_rev)
    await patch('managed/user/ann', { operation: 'add', field: '/groups/-', value: ref('group/red') })
    expect((await read('managed/group/red'))._rev).toBe(group._rev)
  })

  it('to what is not there is refused where it is validated, and says so in its place where it is not', async () => {
    const missing = create('managed/user/ann', { manager: ref('user/nobody') })
    await expect(missing).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('managed/user/nobody does not exist'),
    })
    await expect(create('managed/user/ann', { manager: ref('group/red') })).rejects.toMatchObject({
      status: 400,
    })
    await expect(create('managed/user/ann', { manager: { name: 'boss' } })).rejects.toMatchObject({
      status: 400,
    })
    await expect(read('managed/user/ann')).rejects.toMatchObject({ status: 404 })
    await open(typesWith({ manager: to('managed/user', 'reports', { validate: false }) }))
    await create('managed/user/ann', { manager: ref('user/nobody') })
    expect((await read('managed/user/ann', 'manager/mail')).manager).toMatchObject({
      ...{
        _ref: 'managed/user/nobody',
        _refError: true,
        _refErrorMessage: expect.stringContaining('does not exist'),
      },
    })
  })

  it('goes with either of its objects', async () => {
    await create('managed/user/ann', {
      manager: ref('user/boss'),
      groups: [ref('group/red'), ref('group/blue')],
    })
    await resources.delete('managed/group/red', undefined, context)
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/blue'])
    await resources.delete('managed/user/ann', undefined, context)
    expect([
      await shown('managed/group/blue', 'people'),
      await shown('managed/user/boss', 'reports'),
    ]).toEqual([[], []])
  })

  it('has properties of its own, which both sides see and either changes', async () => {
    await create('managed/user/ann', { groups: [ref('group/red', { since: 'May' })] })
    const people = async () => (await read('managed/group/red', 'people')).people as JsonObject[]
    const [before] = await people()
    expect(before?._refProperties).toMatchObject({ since: 'May' })
    await update('managed/group/red', {
      name: 'red',
      people: [{ ...before, _refProperties: { ...(before?._refProperties as JsonObject), since: 'June' } }],
    })
    const [after] = await people()
    expect(after?._refProperties).toEqual({
      ...(before?._refProperties as JsonObject),
      since: 'June',
      _rev: expect.any(String),
    })
    expect(after?._refProperties).not.toEqual({ ...(before?._refProperties as JsonObject), since: 'June' })
    expect((await read('managed/user/ann', 'groups')).groups).toMatchObject([
      { _refProperties: { since: 'June' } },
    ])
  })
})

describe('an update', () => {
  beforeEach(() =>
    create('managed/user/ann', { userName: 'ann', manager: ref('user/boss'), groups: [ref('group/red')] }),
  )

  it('leaves relationships alone that it does not mention, and sets those that it does', async () => {
    await update('managed/user/ann', { userName: 'anna' })
    expect([await shown('managed/user/ann', 'manager'), await shown('managed/user/ann', 'groups')]).toEqual([
      'user/boss',
      ['group/red'],
    ])
    await update('managed/user/ann', { userName: 'anna', manager: null, groups: [ref('group/blue')] })
    expect([await shown('managed/user/ann', 'manager'), await shown('managed/user/ann', 'groups')]).toEqual([
      null,
      ['group/blue'],
    ])
    expect(await shown('managed/group/red', 'people')).toEqual([])
  })

  it('that sets what is there already changes nothing, in whatever order, and is not synchronized', async () => {
    await patch('managed/user/ann', { operation: 'add', field: '/groups/-', value: ref('group/blue') })
    const { _rev } = await read('managed/user/ann')
    heard = []
    const content = {
      userName: 'ann',
      manager: ref('user/boss'),
      groups: [ref('group/blue'), ref('group/red')],
    }
    expect((await update('managed/user/ann', content))._rev).toBe(_rev)
    expect(heard).toEqual([])
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/red', 'group/blue'])
  })

  it('of relationships alone is a change of the object, heard with all of them before and after', async () => {
    heard = []
    const { _rev } = await read('managed/user/ann')
    await update('managed/user/ann', { userName: 'ann', groups: [] })
    expect((await read('managed/user/ann'))._rev).not.toBe(_rev)
    expect(heard).toMatchObject([
      {
        ...{ operation: 'update', path: 'managed/user', id: 'ann' },
        before: {
          manager: { _ref: 'managed/user/boss' },
          groups: [{ _ref: 'managed/group/red' }],
          accounts: [],
        },
        after: { manager: { _ref: 'managed/user/boss' }, groups: [] },
      },
    ])
  })

  it('with a stale revision changes no relationship', async () => {
    await expect(update('managed/user/ann', { groups: [] }, 'stale')).rejects.toMatchObject({ status: 412 })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/red'])
  })
})

describe('a patch', () => {
  beforeEach(() => create('managed/user/ann', { userName: 'ann', groups: [ref('group/red')] }))

  it('appends a reference, once', async () => {
    const add = { operation: 'add', field: '/groups/-', value: ref('group/blue') }
    await patch('managed/user/ann', add)
    await expect(patch('managed/user/ann', add)).rejects.toMatchObject({ status: 412 })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/red', 'group/blue'])
  })

  it('removes one by what it refers to, and by its id if that is given', async () => {
    await patch('managed/user/ann', { operation: 'add', field: '/groups/-', value: ref('group/blue') })
    await patch('managed/user/ann', {
      operation: 'remove',
      field: '/groups',
      value: ref('group/red', { _id: 'another' }),
    })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/red', 'group/blue'])
    await patch('managed/user/ann', { operation: 'remove', field: '/groups', value: ref('group/red') })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/blue'])
  })

  it('removes all of a property, replaces it, and reaches below a single one', async () => {
    await patch('managed/user/ann', { operation: 'replace', field: '/groups', value: [ref('group/blue')] })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/blue'])
    await patch('managed/user/ann', { operation: 'remove', field: '/groups' })
    expect(await shown('managed/user/ann', 'groups')).toEqual([])
    await patch('managed/user/ann', { operation: 'add', field: '/manager', value: ref('user/boss') })
    await patch('managed/user/ann', {
      operation: 'add',
      field: '/manager/_refProperties/since',
      value: 'May',
    })
    expect((await read('managed/user/ann', 'manager')).manager).toMatchObject({
      ...ref('user/boss'),
      _refProperties: { since: 'May' },
    })
    await patch(
      'managed/user/ann',
      { operation: 'remove', field: 'manager' },
      { operation: 'replace', field: 'mail', value: 'a@x' },
    )
    expect([await shown('managed/user/ann', 'manager'), (await read('managed/user/ann')).mail]).toEqual([
      null,
      'a@x',
    ])
  })
})

describe('_fields', () => {
  beforeEach(() =>
    create('managed/user/ann', {
      userName: 'ann',
      mail: 'ann@x',
      manager: ref('user/boss'),
      groups: [ref('group/red')],
      accounts: [{ _ref: 'system/ldap/account/uid=ann' }],
    }),
  )
  it.each<[string, string[]]>([
    ['*', ['_id', '_rev', 'userName', 'mail']],
    ['*_ref', ['_id', '_rev', 'manager', 'reports', 'groups', 'desk', 'accounts']],
    ['*,*_ref', ['_id', '_rev', 'userName', 'mail', 'manager', 'reports', 'groups', 'desk', 'accounts']],
    ['mail,*_ref', ['_id', '_rev', 'mail', 'manager', 'reports', 'groups', 'desk', 'accounts']],
    ['*,manager', ['_id', '_rev', 'userName', 'mail', 'manager']],
    ['manager/mail', ['_id', '_rev', 'manager']],
  ])('%s gives %j', async (fields, members) => {
    expect(Object.keys(await read('managed/user/ann', fields))).toEqual(members)
  })
  it('*_ref means those, too, that are not returned by default', async () => {
    await open(typesWith({ groups: { ...many(to('managed/group', 'people')), returnByDefault: false } }))
    expect(await read('managed/user/ann', '*_ref')).toHaveProperty('groups', [
      expect.objectContaining(ref('group/red')),
    ])
    expect(await read('managed/user/ann', '*')).not.toHaveProperty('groups')
    await open(typesWith({ groups: { ...many(to('managed/group', 'people')), returnByDefault: true } }))
    expect(await read('managed/user/ann')).toHaveProperty('groups')
  })
  it('reach through references, single and many, here and outside; what is private is not seen', async () => {
    await update('managed/user/boss', { userName: 'boss', mail: 'boss@x', password: 'secret' })
    const seen = await read('managed/user/ann', 'manager/mail,manager/password,groups/*/name,accounts/*/mail')
    expect(seen).toMatchObject({
      manager: { _ref: 'managed/user/boss', mail: 'boss@x' },
      groups: [{ _ref: 'managed/group/red', name: 'red' }],
      accounts: [{ _ref: 'system/ldap/account/uid=ann', mail: 'system/ldap/account/uid=ann@ldap' }],
    })
    expect(JSON.stringify(seen)).not.toContain('secret')
    for (const [path, filter] of [
      ['managed/user', 'manager/password sw "s"'],
      ['managed/user', 'reports/*/password pr'],
      ['managed/user/boss/reports', 'password sw "s"'],
    ] as const)
      await expect(ids(path, filter)).rejects.toMatchObject({ status: 403 })
    expect((await read('managed/user/ann', 'manager/*')).manager).toMatchObject({
      userName: 'boss',
      mail: 'boss@x',
    })
    const { result } = await resources.query(
      'managed/user',
      { filter: parseFilter('userName eq "ann"'), fields: [['manager', 'mail'], ['mail']] },
      context,
    )
    expect(result).toMatchObject([{ mail: 'ann@x', manager: { mail: 'boss@x' } }])
  })
})

describe('a filter', () => {
  beforeEach(async () => {
    await create('managed/user/ann', {
      userName: 'ann',
      manager: ref('user/boss'),
      groups: [ref('group/red'), ref('group/blue', { rank: 2 })],
    })
    await create('managed/user/bob', { userName: 'bob', groups: [ref('group/red')] })
  })
  it.each<[string, string[]]>([
    ['manager/_ref eq "managed/user/boss"', ['ann']],
    ['/groups/_ref eq "managed/group/red"', ['ann', 'bob']],
    ['/groups/*/_refResourceId eq "blue"', ['ann']],
    ['groups/_refProperties/rank ge 2', ['ann']],
    ['manager pr', ['ann']],
    ['!(manager pr) and groups/_ref pr', ['bob']],
    ['groups/_ref ne "managed/group/blue" and groups pr', ['bob']],
    ['manager/userName sw "bo" or userName eq "bob"', ['ann', 'bob']],
    ['reports/_refResourceId eq "ann"', ['boss']],
  ])('%s finds %j', async (filter, found) => {
    expect((await ids('managed/user', filter)).toSorted()).toEqual(found)
  })
  it('works on the pages that a mapping reads, which hold all references', async () => {
    const set = resources.objectSet('managed/user')
    const pages = await Array.fromAsync(
      set.pages({ filter: parseFilter('groups/_ref eq "managed/group/blue"'), pageSize: 10 }),
    )
    expect(pages.flat()).toMatchObject([
      { _id: 'ann', manager: { _ref: 'managed/user/boss' }, groups: [{}, {}], reports: [] },
    ])
    expect((await set.readMany(['boss'])).get('boss')).toMatchObject({
      reports: [{ _ref: 'managed/user/ann' }],
    })
  })
})

describe('the relationships of one object as resources', () => {
  const people = 'managed/group/red/people'
  beforeEach(async () => {
    for (const id of ['ann', 'bob', 'cleo'])
      await create(`managed/user/${id}`, { userName: id, mail: `${id}@x` })
  })
  it('are made, read, changed and taken away one by one', async () => {
    const made = await resources.create(people, undefined, ref('user/ann', { since: 'May' }), context)
    expect(made).toMatchObject({ ...ref('user/ann'), _refProperties: { _id: made._id, since: 'May' } })
    expect(await shown('managed/user/ann', 'groups')).toEqual(['group/red'])
    const path = `${people}/${made._id}`
    expect(await read(path)).toEqual(made)
    expect(await read(path, 'mail')).toMatchObject({ _id: made._id, mail: 'ann@x' })
    const changed = await update(path, ref('user/ann', { since: 'June' }), made._rev)
    expect([changed._id, (changed._refProperties as JsonObject).since]).toEqual([made._id, 'June'])
    await expect(update(path, ref('user/ann'), made._rev)).rejects.toMatchObject({ status: 412 })
    const patched = await resources.patch(
      path,
      undefined,
      parsePatch([{ operation: 'add', field: '/_refProperties/note', value: 'x' }]),
      context,
    )
    expect(patched._refProperties).toMatchObject({ since: 'June', note: 'x' })
    const moved = await update(path, ref('user/bob'))
    expect([moved._id, moved._ref, await shown('managed/user/ann', 'groups')]).toEqual([
      made._id,
      'managed/user/bob',
      [],
    ])
    expect(await resources.delete(path, undefined, context)).toEqual(moved)
    await expect(read(path)).rejects.toMatchObject({ status: 404 })
    await expect(read(people)).rejects.toMatchObject({ status: 400 })
    await expect(resources.create(people, undefined, ref('user/nobody'), context)).rejects.toMatchObject({
      status: 400,
    })
    await expect(
      resources.create('managed/group/none/people', undefined, ref('user/ann'), context),
    ).rejects.toMatchObject({ status: 404 })
  })
  it('are queried in pages, filtered and sorted by the objects too', async () => {
    for (const id of ['cleo', 'ann', 'bob']) await resources.create(people, id, ref(`user/${id}`), context)
    const query = {
      sortKeys: [{ pointer: ['userName'], descending: false }],
      pageSize: 2,
      totalPolicy: 'EXACT' as const,
      fields: [['mail']],
    }
    const page = await resources.query(people, { ...query, filter: parseFilter('true') }, context)
    expect([page.total, page.result.map(({ _id, mail }) => [_id, mail])]).toEqual([
      3,
      [
        ['ann', 'ann@x'],
        ['bob', 'bob@x'],
      ],
    ])
    expect(
      (
        await resources.query(
          people,
          { ...query, filter: parseFilter('true'), cookie: page.cookie as string },
          context,
        )
      ).result,
    ).toMatchObject([{ _id: 'cleo' }])
    expect(await ids(people, 'mail eq "bob@x" or _ref eq "managed/user/ann"')).toEqual(['ann', 'bob'])
    await expect(resources.create(people, 'ann', ref('user/bob'), context)).rejects.toMatchObject({
      status: 412,
    })
  })
  it('are the one of a property, put and taken away without an id', async () => {
    await resources.create('managed/user/ann', 'manager', ref('user/boss'), context)
    expect(await shown('managed/user/boss', 'reports')).toEqual(['user/ann'])
    await expect(
      resources.create('managed/user/ann', 'manager', ref('user/chief'), context),
    ).rejects.toMatchObject({ status: 412 })
    await update('managed/user/ann/manager', ref('user/chief'))
    expect(await read('managed/user/ann/manager')).toMatchObject(ref('user/chief'))
    await resources.delete('managed/user/ann/manager', undefined, context)
    expect(await shown('managed/user/ann', 'manager')).toBeNull()
    await expect(read('managed/user/ann/manager')).rejects.toMatchObject({ status: 404 })
  })
  it('are a change of the object that they belong to; the other one hears of it where the schema says so', async () => {
    heard = []
    await resources.create(people, undefined, ref('user/ann'), context)
    expect(heard.map(({ path, id }) => `${path}/${id}`)).toEqual(['managed/group/red'])
    await open(typesWith({ groups: many(to('managed/group', 'people', { notifySelf: true })) }))
    heard = []
    const { _rev } = await read('managed/user/bob')
    await resources.create(people, undefined, ref('user/bob'), context)
    expect(heard.map(({ path, id }) => `${path}/${id}`)).toEqual(['managed/group/red', 'managed/user/bob'])
    expect(heard[1]).toMatchObject({
      before: { groups: [] },
      after: { groups: [{ _ref: 'managed/group/red' }] },
    })
    expect((await read('managed/user/bob'))._rev).not.toBe(_rev)
    await open(
      typesWith({
        groups: many(
          to('managed/group', 'people', { resourceCollection: [{ path: 'managed/group', notify: true }] }),
        ),
      }),
    )
    heard = []
    await update('managed/user/bob', { userName: 'bob', groups: [] })
    expect(heard.map(({ path, id }) => `${path}/${id}`)).toEqual(['managed/user/bob', 'managed/group/red'])
  })
  it('notify of a change of the object where it says so', async () => {
    await open(typesWith({}, { name: { ...text, notifyRelationships: ['people'] } }))
    await resources.create(people, undefined, ref('user/ann'), context)
    heard = []
    await update('managed/group/red', { name: 'rot' })
    expect(heard.map(({ path, id }) => `${path}/${id}`)).toEqual(['managed/group/red', 'managed/user/ann'])
  })
})

describe.each([
  ['without scripts', {}],
  ['with scripts', { onUpdate: { type: 'text/javascript', source: '' } }],
])('a type %s', (_what, hooks) => {
  const partsOf = () => ({
    ...plainParts,
    scripts: {
      ...noScripts,
      has: (name: string) => name in hooks,
      run: async (_name: string, variables: JsonObject) => ({ object: variables.object as JsonObject }),
    },
  })
  it('keeps a relationship that an object must have, and demands it', async () => {
    const [user, ...others] = typesWith() as [ManagedType, ...ManagedType[]]
    const types = [{ ...user, ...hooks, schema: { ...user.schema, required: ['manager'] } }, ...others]
    resources = router({ managed: await managedObjects({ repository, types, partsOf, onChange: listener }) })
    await expect(create('managed/user/ann', {})).rejects.toMatchObject({ status: 403 })
    await create('managed/user/ann', { manager: ref('user/boss') })
    const { _rev } = await update('managed/user/ann', { userName: 'ann' })
    expect(await shown('managed/user/ann', 'manager')).toBe('user/boss')
    expect((await update('managed/user/ann', { userName: 'ann' }))._rev).toBe(_rev)
    await expect(update('managed/user/ann', { manager: null })).rejects.toMatchObject({ status: 403 })
    await resources.delete('managed/user/ann', undefined, context)
    expect(await shown('managed/user/boss', 'reports')).toEqual([])
  })
})

describe('a page of writes', () => {
  it('has relationships among its own objects, and refuses single ones', async () => {
    const results = await resources.objectSet('managed/user').writeMany(
      [
        { operation: 'create', id: 'x', content: { manager: ref('user/y'), groups: [ref('group/red')] } },
        { operation: 'create', id: 'y', content: { manager: ref('user/y') } },
        { operation: 'create', id: 'z', content: { manager: ref('user/nobody') } },
        { operation: 'create', id: 'boss', content: { groups: [ref('group/red')] } },
        { operation: 'update', id: 'chief', content: { userName: 'chief', manager: ref('user/x') } },
        { operation: 'delete', id: 'boss' },
      ],
      { ...context, external: false },
    )
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false, true, true])
    expect(await shown('managed/user/y', 'reports')).toEqual(['user/x', 'user/y'])
    expect(await shown('managed/group/red', 'people')).toEqual(['user/x'])
    expect(await shown('managed/user/x', 'reports')).toEqual(['user/chief'])
  })
  it('is kept or dropped as a whole with the transaction that it joins', async () => {
    const broken = repository.transaction(async (store) => {
      const set = resources.objectSet('managed/user').joining?.(store)
      await set?.writeMany(
        [{ operation: 'create', id: 'x', content: { groups: [ref('group/red')] } }],
        context,
      )
      throw new Error('broken off')
    })
    await expect(broken).rejects.toThrow('broken off')
    expect(await shown('managed/group/red', 'people')).toEqual([])
  })
})
