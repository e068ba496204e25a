import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { parsePatch } from '../model/patch.ts'
import type { ObjectWrite } from '../repository/objects.ts'
import type { StoreQuery } from '../repository/query.ts'
import type { Repository } from '../repository/repository.ts'
import type { ObjectSet, RequestContext, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { managedObjects } from './resource.ts'
import { managedTypes } from './testing/managed-types.ts'

const context: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }

const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        required: ['userName'],
        properties: {
          userName: { type: 'string', searchable: true, policies: [{ policyId: 'unique' }] },
          sn: { type: 'string', minLength: 2 },
          accountStatus: { type: 'string', default: 'active' },
          roles: { type: 'array', default: ['member'] },
        },
      },
    },
    { name: 'device' },
  ],
})

let store: TemporaryStore
let repository: Repository
/** The pages that reached the repository. */
let written: (readonly ObjectWrite[])[]
let resources: Resources
let users: ObjectSet

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  written = []
  resources = router({ managed: await managedObjects({ repository: noting(repository), types }) })
  users = resources.objectSet('managed/user')
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

/** The real repository, with a note of every page written. */
function noting(real: Repository): Repository {
  const note = <S extends Pick<Repository, 'objects'>>(store: S): S => ({
    ...store,
    objects: {
      declare: (collection: string, searchable: readonly string[]) =>
        store.objects.declare(collection, searchable),
      read: (collection: string, ids: readonly string[]) => store.objects.read(collection, ids),
      ids: (collection: string, pageSize?: number) => store.objects.ids(collection, pageSize),
      query: (collection: string, query: StoreQuery) => store.objects.query(collection, query),
      count: (collection: string) => store.objects.count(collection),
      write(collection: string, writes: readonly ObjectWrite[]) {
        written.push(writes)
        return store.objects.write(collection, writes)
      },
    },
  })
  return {
    ...note(real),
    transaction(work) {
      const before = written.length
      return real.transaction((store) => {
        // An earlier call of the work does not count.
        written.length = before
        return work(note(store))
      })
    },
  }
}

const create = (id: string | undefined, content: JsonObject) =>
  resources.create('managed/user', id, { userName: id ?? 'someone', ...content }, context)
const ada = () => resources.read('managed/user/ada', context)

describe('a created object', () => {
  it('has its id, a revision and the defaults of absent properties', async () => {
    const created = await create('ada', { roles: [] })
    expect(created).toEqual({
      _id: 'ada',
      _rev: expect.any(String),
      userName: 'ada',
      accountStatus: 'active',
      roles: [],
    })
    expect(await ada()).toEqual(created)
  })
  it('gets an id if none is given', async () => {
    expect((await create(undefined, {}))._id).toMatch(/^[\w-]{36}$/)
  })
  it('takes the id of its body', async () => {
    expect((await create(undefined, { _id: 'ada' }))._id).toBe('ada')
    await expect(create('bob', { _id: 'other' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(create(undefined, { _id: 7 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
  it('must not exist yet', async () => {
    await create('ada', {})
    await expect(create('ada', { userName: 'another' })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    })
  })
  it('does not share its defaults with the next', async () => {
    const { roles } = await create('ada', {})
    ;(roles as string[]).push('changed')
    expect((await create('bob', {})).roles).toEqual(['member'])
  })
  it('may have any id', async () => {
    const created = await create('cn=a/b, 100%', {})
    expect(await resources.read('managed/user/cn=a%2Fb, 100%25', context)).toEqual(created)
  })
})

describe('a policy that fails', () => {
  it('refuses the write with the documented body', async () => {
    await expect(create('ada', { userName: null, sn: 'x' })).rejects.toMatchObject({
      code: 'POLICY_FAILED',
      status: 403,
      message: 'Policy validation failed',
      detail: {
        result: false,
        failedPolicyRequirements: [
          { property: 'userName', policyRequirements: [{ policyRequirement: 'REQUIRED' }] },
          {
            property: 'sn',
            policyRequirements: [{ policyRequirement: 'MIN_LENGTH', params: { minLength: 2 } }],
          },
        ],
      },
    })
    expect(await repository.objects.count('managed/user')).toBe(0)
  })
  it('concerns a patch only on the properties it touches', async () => {
    await repository.objects.write('managed/user', [
      { operation: 'create', id: 'ada', content: { userName: 'ada', sn: 'x' } },
    ])
    const patch = (field: string, value: string) =>
      resources.patch(
        'managed/user/ada',
        undefined,
        parsePatch([{ operation: 'add', field, value }]),
        context,
      )
    expect(await patch('mail', 'a@example.com')).toMatchObject({ sn: 'x', mail: 'a@example.com' })
    await expect(patch('sn', 'y')).rejects.toMatchObject({ message: 'Failed policy validation' })
  })
  it('is not looked at when policies are switched off', async () => {
    const lax = router({ managed: await managedObjects({ repository, types, enforcePolicies: false }) })
    expect(await lax.create('managed/user', 'ada', { sn: 'x' }, context)).toMatchObject({ sn: 'x' })
  })
})

describe('a unique property', () => {
  it('refuses the value of another object, and keeps one’s own', async () => {
    await create('ada', {})
    const unique = { code: 'POLICY_FAILED', detail: expect.objectContaining({ result: false }) }
    await expect(create('bob', { userName: 'ada' })).rejects.toMatchObject(unique)
    expect(
      await resources.update('managed/user/ada', undefined, { userName: 'ada', sn: 'Lovelace' }, context),
    ).toMatchObject({ sn: 'Lovelace' })
  })
  it('distinguishes the objects of one page', async () => {
    const results = await users.writeMany(
      ['x', 'y', 'x'].map((userName, index) => ({
        operation: 'create',
        id: `u${index}`,
        content: { userName },
      })),
      context,
    )
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false])
  })
  it('holds against writers at the same time', async () => {
    const attempts = Array.from({ length: 10 }, (_, index) => create(`u${index}`, { userName: 'same' }))
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('an update', () => {
  const update = (rev: string | undefined, content: JsonObject) =>
    resources.update('managed/user/ada', rev, { userName: 'ada', ...content }, context)
  it('replaces the object and changes its revision', async () => {
    const before = await create('ada', { sn: 'Byron' })
    const after = await update(before._rev, { _id: 'ignored', _rev: 'ignored', mail: 'a@example.com' })
    expect(after).toEqual({ _id: 'ada', _rev: expect.any(String), userName: 'ada', mail: 'a@example.com' })
    expect(after._rev).not.toBe(before._rev)
  })
  it('with a stale revision is refused', async () => {
    const { _rev } = await create('ada', {})
    await update(undefined, { sn: 'Byron' })
    await expect(update(_rev, { sn: 'Lovelace' })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
    expect((await ada()).sn).toBe('Byron')
  })
  it('of an absent object is not found', async () => {
    await expect(update(undefined, {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('that changes nothing writes nothing', async () => {
    const before = await create('ada', {})
    written = []
    expect(await update(before._rev, { roles: ['member'], accountStatus: 'active' })).toEqual(before)
    expect(written).toEqual([])
  })
})

describe('a patch', () => {
  const patch = (...operations: JsonObject[]) =>
    resources.patch('managed/user/ada', undefined, parsePatch(operations), context)
  it('that changes nothing writes nothing', async () => {
    const before = await create('ada', {})
    written = []
    expect(await patch({ operation: 'remove', field: 'absent' })).toEqual(before)
    expect(written).toEqual([])
  })
  it('cannot change the identity', async () => {
    const before = await create('ada', {})
    expect(await patch({ operation: 'replace', field: '_id', value: 'bob' })).toEqual(before)
  })
  it('that meets other writers starts again on the fresh object', async () => {
    await create('ada', { count: 0 })
    await Promise.all(
      Array.from({ length: 4 }, () => patch({ operation: 'increment', field: 'count', value: 1 })),
    )
    expect((await ada()).count).toBe(4)
  })
  it('is also an action on the one object that a query finds', async () => {
    await create('ada', {})
    await create('bob', {})
    const act = (_queryFilter: string) => {
      const content = [{ operation: 'add', field: 'sn', value: 'Found' }]
      return resources.action(
        'managed/user',
        { name: 'patch', content, parameters: { _queryFilter } },
        context,
      )
    }
    expect(await act('userName eq "bob"')).toMatchObject({ _id: 'bob', sn: 'Found' })
    await expect(act('userName eq "nobody"')).rejects.toMatchObject({ status: 404 })
    await expect(act('true')).rejects.toMatchObject({ status: 500 })
  })
})

describe('deleting', () => {
  it('answers the object as it was', async () => {
    const created = await create('ada', {})
    expect(await resources.delete('managed/user/ada', created._rev, context)).toEqual(created)
    await expect(ada()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('with a stale revision is refused', async () => {
    await create('ada', {})
    await expect(resources.delete('managed/user/ada', 'stale', context)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    })
  })
})

describe('a query', () => {
  it('filters, sorts, pages and counts', async () => {
    for (const id of ['ada', 'bob', 'cyd']) await create(id, { sn: id === 'bob' ? 'Other' : 'Same' })
    const sortKeys = [{ pointer: ['userName'], descending: true }]
    const filter = parseFilter('sn eq "Same"')
    const query = { filter, sortKeys, pageSize: 1, totalPolicy: 'EXACT', fields: [['userName']] } as const
    const first = await resources.query('managed/user', query, context)
    expect(first).toMatchObject({
      result: [{ _id: 'cyd', userName: 'cyd' }],
      total: 2,
      cookie: expect.any(String),
    })
    expect(first.result[0]).not.toHaveProperty('sn')
    const second = await resources.query(
      'managed/user',
      { ...query, cookie: first.cookie ?? undefined },
      context,
    )
    expect(second).toMatchObject({ result: [{ _id: 'ada' }], cookie: null })
  })
})

describe('a path', () => {
  it.each([
    ['managed/nothing/a', 'NOT_FOUND'],
    ['managed/user', 'BAD_REQUEST'],
    ['managed/user/a/b', 'NOT_FOUND'],
  ])('%s cannot be read: %s', async (path, code) => {
    await expect(resources.read(path, context)).rejects.toMatchObject({ code })
  })
})

describe('the object set', () => {
  it('writes a page with one call, and each write has its own outcome', async () => {
    await create('ada', {})
    written = []
    const results = await users.writeMany(
      [
        { operation: 'create', content: { userName: 'bob' } },
        { operation: 'create', id: 'ada', content: { userName: 'again' } },
        { operation: 'create', content: {} },
        { operation: 'update', id: 'ghost', content: { userName: 'ghost' } },
      ],
      context,
    )
    expect(
      results.map((result) =>
        result.ok ? result.object.userName : (result.error as { code?: string }).code,
      ),
    ).toEqual(['bob', 'PRECONDITION_FAILED', 'POLICY_FAILED', 'NOT_FOUND'])
    expect(written).toHaveLength(1)
  })
  it('applies writes of the same object in order', async () => {
    const results = await users.writeMany(
      [
        { operation: 'create', id: 'ada', content: { userName: 'ada' } },
        { operation: 'update', id: 'ada', content: { userName: 'ada', sn: 'Byron' } },
        { operation: 'delete', id: 'ada' },
      ],
      context,
    )
    expect(results).toMatchObject([{ ok: true }, { ok: true, object: { sn: 'Byron' } }, { ok: true }])
    expect(await users.count?.()).toBe(0)
  })
  it('reads in pages and by id', async () => {
    for (const id of ['ada', 'bob', 'cyd']) await create(id, {})
    const pages = await Array.fromAsync(
      users.pages({ filter: everything, fields: [['userName']], pageSize: 2 }),
    )
    expect(pages.map((page) => page.length)).toEqual([2, 1])
    expect(pages[0]?.[0]).toEqual({ _id: 'ada', _rev: expect.any(String), userName: 'ada' })
    expect([...(await users.readMany(['bob', 'ghost'])).keys()]).toEqual(['bob'])
  })
  it('joins a transaction: what is dropped was never there', async () => {
    const work = repository.transaction(async (store) => {
      const joined = users.joining?.(store) as ObjectSet
      await joined.writeMany([{ operation: 'create', id: 'ada', content: { userName: 'ada' } }], context)
      expect((await joined.readMany(['ada'])).size).toBe(1)
      throw new Error('dropped')
    })
    await expect(work).rejects.toThrow('dropped')
    expect(await users.count?.()).toBe(0)
  })
  it('writes nothing in a dry run', async () => {
    const write = { operation: 'create', content: { userName: 'ada' } } as const
    await expect(users.writeMany([write], { ...context, readOnly: true })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})

describe('types', () => {
  it('whose policies are not enforced are written whatever the policies say', async () => {
    const managed = await managedObjects({ repository, types, enforcePolicies: false })
    const contents = [{ sn: 'x' }, { userName: 'ada' }, { userName: 'ada' }]
    const writes = contents.map((content) => ({ operation: 'create', content }) as const)
    const results = await managed.objectSet?.('user')?.writeMany(writes, context)
    expect(results?.map(({ ok }) => ok)).toEqual([true, true, true])
  })
  it('with unsupported features are refused, each named', async () => {
    const schema = {
      properties: {
        work: { type: 'object', properties: { manager: { type: 'relationship' } } },
        password: { secureHash: {}, encryption: { key: 'k' } },
      },
    }
    await expect(managedObjects({ repository, types: [{ name: 'user', schema }] })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      detail: [
        { pointer: ['schema', 'properties', 'work', 'properties', 'manager', 'type'] },
        { pointer: ['schema', 'properties', 'password', 'secureHash'] },
      ],
    })
  })
  it.each([[[{ name: 'user' }, { name: 'user' }]], [[{ schema: {} }]], [[{ name: 'a/b' }]], [['user']]])(
    'like %j are refused',
    (objects) => {
      expect(() => managedTypes({ objects })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
    },
  )
})
