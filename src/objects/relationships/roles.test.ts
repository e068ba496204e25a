import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import { type ManagedObjects, managedObjects } from '../resource.ts'
import { managedTypes } from '../testing/managed-types.ts'
import type { ObjectChange, OnChange } from '../write/changes.ts'

const context: RequestContext = { external: false, userId: 'admin', roles: [], transactionId: 't' }
const many = (path: string, reversePropertyName: string): JsonObject => ({
  type: 'array',
  items: {
    ...{ type: 'relationship', reverseRelationship: true, reversePropertyName, validate: true },
    resourceCollection: [{ path }],
  },
})
const one = (path: string, reversePropertyName: string): JsonObject =>
  many(path, reversePropertyName).items as JsonObject
const collected = (queryConfig: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...{ type: 'array', isVirtual: true, returnByDefault: true, queryConfig, ...more },
})
const text = { type: 'string' }
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        properties: {
          ...{ userName: text, kind: text },
          roles: many('managed/role', 'members'),
          effectiveRoles: collected({ referencedRelationshipFields: ['roles'] }),
          effectiveAssignments: collected({
            referencedRelationshipFields: ['roles', 'assignments'],
            referencedObjectFields: ['*'],
          }),
          unit: one('managed/unit', 'people'),
          units: collected(
            {
              referencedRelationshipFields: ['unit'],
              referencedObjectFields: ['_id', 'above'],
              flattenProperties: true,
            },
            { searchable: true },
          ),
        },
      },
    },
    {
      name: 'role',
      schema: {
        properties: {
          ...{ name: text, condition: text, temporalConstraints: { type: 'array' } },
          members: many('managed/user', 'roles'),
          assignments: many('managed/assignment', 'roles'),
        },
      },
    },
    {
      name: 'assignment',
      schema: { properties: { name: text, roles: many('managed/role', 'assignments') } },
    },
    {
      name: 'unit',
      schema: {
        properties: {
          ...{
            name: text,
            parent: one('managed/unit', 'children'),
            children: many('managed/unit', 'parent'),
          },
          people: many('managed/user', 'unit'),
          above: collected(
            {
              referencedRelationshipFields: ['parent'],
              referencedObjectFields: ['_id', 'above'],
              flattenProperties: true,
            },
            { returnByDefault: false },
          ),
        },
      },
    },
  ],
})

let store: TemporaryStore
let repository: Repository
let managed: ManagedObjects
let resources: Resources
let heard: string[]
let changes: ObjectChange[]
let now: number
const listener: OnChange = {
  concerns: (path) => path === 'managed/user',
  enlist: async () => {},
  withdraw: async () => {},
  async notify(all) {
    heard.push(...all.map(({ operation, path, id }) => `${operation} ${path.replace('managed/', '')}/${id}`))
    changes.push(...all)
    return all.map(() => ({ success: true, action: 'notifyUpdate', syncDetails: [] }))
  },
}

async function open() {
  managed = await managedObjects({ repository, types, onChange: listener, now: () => now })
  resources = router({ managed })
}

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  now = Date.parse('2026-03-01T12:00:00Z')
  heard = []
  changes = []
  await open()
})
afterEach(async () => {
  await managed[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

const ref = (path: string, properties?: JsonObject): JsonObject => ({
  _ref: `managed/${path}`,
  ...(properties && { _refProperties: properties }),
})
const put = (path: string, content: JsonObject) => {
  const [set, id] = path.split('/')
  return resources.create(`managed/${set}`, id, content, context)
}
const update = (path: string, content: JsonObject) =>
  resources.update(`managed/${path}`, undefined, content, context)
const patch = (path: string, ...operations: JsonObject[]) =>
  resources.patch(`managed/${path}`, undefined, parsePatch(operations), context)
const read = (path: string) => resources.read(`managed/${path}`, context)
const names = (value: unknown) =>
  (value as JsonObject[]).map(({ name, _ref }) => String(name ?? String(_ref).replace('managed/role/', '')))
const roles = async (id = 'ann') => names((await read(`user/${id}`)).effectiveRoles)
const assignments = async (id = 'ann') => names((await read(`user/${id}`)).effectiveAssignments)

describe('a role', () => {
  beforeEach(async () => {
    await put('assignment/mail', { name: 'mail', attributes: [{ name: 'mail', value: 'on' }] })
    await put('assignment/badge', { name: 'badge' })
    await put('role/clerk', { name: 'clerk', assignments: [ref('assignment/mail')] })
    heard = []
  })

  it('that is granted gives its assignments, with all that they say', async () => {
    await put('user/ann', { roles: [ref('role/clerk')] })
    const { effectiveRoles, effectiveAssignments } = await read('user/ann')
    expect(effectiveRoles).toEqual([
      { _ref: 'managed/role/clerk', _refResourceCollection: 'managed/role', _refResourceId: 'clerk' },
    ])
    expect(effectiveAssignments).toMatchObject([
      {
        _id: 'mail',
        name: 'mail',
        attributes: [{ name: 'mail', value: 'on' }],
        _ref: 'managed/assignment/mail',
      },
    ])
    expect(changes.at(-1)?.after).toMatchObject({ effectiveAssignments, roles: [ref('role/clerk')] })
    await update('user/ann', { roles: [] })
    expect([await roles(), await assignments()]).toEqual([[], []])
    expect(heard).toEqual(['create user/ann', 'update user/ann'])
    expect(changes.at(-1)).toMatchObject({
      before: { effectiveAssignments },
      after: { effectiveAssignments: [] },
    })
  })

  it('granted from its own side is a change of the member', async () => {
    const { _rev } = await put('user/ann', {})
    heard = []
    await resources.create('managed/role/clerk/members', 'g', ref('user/ann'), context)
    expect([await assignments(), heard]).toEqual([['mail'], ['update user/ann']])
    expect((await read('user/ann'))._rev).not.toBe(_rev)
    await resources.delete('managed/role/clerk/members/g', undefined, context)
    expect([await assignments(), heard]).toEqual([[], ['update user/ann', 'update user/ann']])
  })

  it('that changes what it gives changes its members, and no other user', async () => {
    await put('user/ann', { roles: [ref('role/clerk')] })
    await put('user/bob', {})
    heard = []
    await patch('role/clerk', { operation: 'add', field: '/assignments/-', value: ref('assignment/badge') })
    expect([await assignments(), heard]).toEqual([['mail', 'badge'], ['update user/ann']])
    await patch('assignment/badge', { operation: 'replace', field: '/name', value: 'key' })
    expect([await assignments(), heard]).toEqual([
      ['mail', 'key'],
      ['update user/ann', 'update user/ann'],
    ])
    await patch('role/clerk', { operation: 'replace', field: '/name', value: 'writer' })
    expect(heard).toHaveLength(2)
    await resources.delete('managed/assignment/badge', undefined, context)
    expect([await assignments(), heard.length]).toEqual([['mail'], 3])
    expect(changes.at(-1)).toMatchObject({ before: { effectiveAssignments: [{}, { name: 'key' }] } })
  })

  it('cannot be deleted while a user has it', async () => {
    await put('user/ann', { roles: [ref('role/clerk')] })
    await expect(resources.delete('managed/role/clerk', undefined, context)).rejects.toMatchObject({
      status: 409,
    })
    await update('user/ann', { roles: [] })
    await resources.delete('managed/role/clerk', undefined, context)
    expect((await resources.query('managed/role', { filter: parseFilter('true') }, context)).result).toEqual(
      [],
    )
  })
})

describe('a condition', () => {
  it('grants a role to whom it holds for when it is set, and takes it away when it changes', async () => {
    await put('user/ann', { kind: 'staff' })
    await put('user/bob', { kind: 'guest' })
    await put('role/staff', { name: 'staff', condition: '/kind eq "staff"' })
    expect([await roles('ann'), await roles('bob')]).toEqual([['staff'], []])
    await update('role/staff', { name: 'staff', condition: 'kind eq "guest"' })
    expect([await roles('ann'), await roles('bob')]).toEqual([[], ['staff']])
    await patch('role/staff', { operation: 'remove', field: '/condition' })
    expect([await roles('ann'), await roles('bob')]).toEqual([[], []])
    await expect(update('role/staff', { condition: 'kind eq' })).rejects.toMatchObject({ status: 400 })
  })

  it('is looked at with every write of a user; a grant of his own is another matter', async () => {
    await put('role/staff', { name: 'staff', condition: 'kind eq "staff"' })
    await put('user/ann', { kind: 'staff' })
    const grants = async () =>
      (await resources.read('managed/user/ann', { ...context, fields: [['roles']] })).roles
    expect(await grants()).toMatchObject([
      { _ref: 'managed/role/staff', _refProperties: { _grantType: 'conditional' } },
    ])
    await update('user/ann', { kind: 'staff', roles: [] })
    expect(await roles()).toEqual(['staff'])
    await patch('user/ann', { operation: 'add', field: '/roles/-', value: ref('role/staff') })
    expect(await grants()).toMatchObject([{ _refProperties: { _id: expect.any(String) } }])
    expect(JSON.stringify(await grants())).not.toContain('conditional')
    await update('user/ann', { kind: 'guest' })
    expect(await roles()).toEqual(['staff'])
    await update('user/ann', { kind: 'staff', roles: [] })
    expect(await grants()).toMatchObject([{ _refProperties: { _grantType: 'conditional' } }])
    await update('user/ann', { kind: 'guest' })
    expect(await grants()).toEqual([])
  })

  it('may look at relationships', async () => {
    await put('unit/sales', {})
    await put('role/seller', { name: 'seller', condition: '/unit/_ref eq "managed/unit/sales"' })
    await put('user/ann', { unit: ref('unit/sales') })
    await put('user/bob', {})
    expect([await roles('ann'), await roles('bob')]).toEqual([['seller'], []])
    await resources.create('managed/unit/sales/people', undefined, ref('user/bob'), context)
    expect(await roles('bob')).toEqual(['seller'])
    await update('user/ann', { unit: null })
    expect(await roles('ann')).toEqual([])
  })
})

describe('a temporal constraint', () => {
  const during = (duration: string) => ({ temporalConstraints: [{ duration }] })
  const at = (time: string) => {
    now = Date.parse(time)
  }
  const becomes = async (expected: unknown, look: () => Promise<unknown>) => {
    await expect.poll(look).toEqual(expected)
  }

  it('of a role lets it count in its time only', async () => {
    await put('role/temp', during('2026-03-01T13:00:00Z/2026-03-01T14:00:00Z'))
    await put('user/ann', { roles: [ref('role/temp')] })
    expect(await roles()).toEqual([])
    at('2026-03-01T13:00:00Z')
    expect(await roles()).toEqual(['temp'])
    at('2026-03-01T14:00:00Z')
    expect(await roles()).toEqual([])
  })

  it('of a grant limits this grant', async () => {
    await put('role/temp', {})
    await put('user/ann', { roles: [ref('role/temp', during('2026-03-01T13:00:00Z/P1D'))] })
    await put('user/bob', { roles: [ref('role/temp')] })
    expect([await roles('ann'), await roles('bob')]).toEqual([[], ['temp']])
    at('2026-03-02T12:59:59Z')
    expect(await roles('ann')).toEqual(['temp'])
    await expect(put('user/eve', { roles: [ref('role/temp', during('tomorrow'))] })).rejects.toMatchObject({
      status: 400,
    })
    await expect(put('role/bad', during('2026/2025'))).rejects.toMatchObject({ status: 400 })
  })

  it.each(['role', 'grant'] as const)(
    'of a %s changes members by itself at both ends, also after a restart',
    async (where) => {
      const limits = during('2026-03-01T13:00:00Z/2026-03-01T14:00:00Z')
      await put('role/temp', where === 'role' ? limits : {})
      await put('user/ann', { roles: [ref('role/temp', where === 'grant' ? limits : undefined)] })
      await managed.start()
      heard = []
      at('2026-03-01T12:59:59.950Z')
      await managed[Symbol.asyncDispose]()
      await open()
      await managed.start()
      expect(heard).toEqual([])
      at('2026-03-01T13:00:00Z')
      await becomes(['update user/ann'], async () => heard)
      expect(changes.at(-1)?.after?.effectiveRoles).toMatchObject([{ _refResourceId: 'temp' }])
      await managed[Symbol.asyncDispose]()
      at('2026-03-01T15:00:00Z')
      await open()
      await managed.start()
      await becomes(['update user/ann', 'update user/ann'], async () => heard)
      expect(changes.at(-1)?.after?.effectiveRoles).toEqual([])
      expect(
        (await repository.objects.query('internal/boundary', { filter: parseFilter('true') })).result,
      ).toEqual([])
    },
  )
})

describe('values collected along relationships', () => {
  beforeEach(async () => {
    await put('unit/top', {})
    await put('unit/mid', { parent: ref('unit/top') })
    await put('unit/low', { parent: ref('unit/mid') })
    await put('user/ann', { unit: ref('unit/low') })
  })
  it('may themselves be collected, are plain and each there once, and can be searched', async () => {
    expect((await read('user/ann')).units).toEqual(['low', 'mid', 'top'])
    const { result } = await resources.query(
      'managed/user',
      { filter: parseFilter('units eq "top"') },
      context,
    )
    expect(result.map(({ _id }) => _id)).toEqual(['ann'])
  })
  it('follow every change on the way', async () => {
    heard = []
    await put('unit/other', {})
    await update('unit/mid', { parent: ref('unit/other') })
    expect([(await read('user/ann')).units, heard]).toEqual([['low', 'mid', 'other'], ['update user/ann']])
    await resources.delete('managed/unit/other', undefined, context)
    expect((await read('user/ann')).units).toEqual(['low', 'mid'])
    await update('unit/top', { children: [ref('unit/low')] })
    expect((await read('user/ann')).units).toEqual(['low', 'top'])
  })
  it('cannot be written by hand', async () => {
    const ann = await read('user/ann')
    expect(await update('user/ann', { ...ann, units: ['x'], effectiveRoles: [] })).toEqual(ann)
  })
  it('that are out of date are put right by triggerSyncCheck', async () => {
    const stored = (await repository.objects.read('managed/user', ['ann'])).get('ann')
    await repository.objects.write('managed/user', [
      { operation: 'update', id: 'ann', content: { ...stored, units: [] } },
    ])
    heard = []
    await resources.action(
      'managed/user/ann',
      { name: 'triggerSyncCheck', content: null, parameters: {} },
      context,
    )
    expect(heard).toEqual(['update user/ann'])
    await resources.action(
      'managed/user',
      { name: 'triggerSyncCheck', content: null, parameters: { _queryFilter: 'unit pr' } },
      context,
    )
    expect(heard).toHaveLength(1)
  })
})

describe('what is left to do when a process dies', () => {
  it('is done by the one that starts next', async () => {
    await put('assignment/mail', { name: 'mail' })
    await put('role/clerk', { assignments: [ref('assignment/mail')] })
    await put('user/ann', { roles: [ref('role/clerk')] })
    // Closed: notes what depends on the change, and does not look after it any more.
    await managed[Symbol.asyncDispose]()
    await update('assignment/mail', { name: 'post' })
    const stored = async () =>
      names((await repository.objects.read('managed/user', ['ann'])).get('ann')?.effectiveAssignments)
    expect(await stored()).toEqual(['mail'])
    await open()
    await managed.start()
    expect(await stored()).toEqual(['post'])
  })
})
