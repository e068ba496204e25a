import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { relationshipModel } from './model.ts'
import { type PageFacts, planPage } from './plan.ts'
import { planObject } from './plan-object.ts'
import { type RefusedObject, wantedObject } from './wanted.ts'

const to = (path: string, reverse: string, more: JsonObject = {}): JsonObject => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse, validate: true },
  ...{ resourceCollection: [{ path }], ...more },
})
const many = (items: JsonObject): JsonObject => ({ type: 'array', items })
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        properties: {
          manager: to('managed/user', 'reports'),
          reports: many(to('managed/user', 'manager')),
          groups: many(to('managed/group', 'people')),
          desk: to('managed/desk', 'owner'),
          roles: many(to('managed/role', 'members')),
        },
      },
    },
    {
      name: 'group',
      schema: { properties: { people: many(to('managed/user', 'groups', { notifySelf: true })) } },
    },
    { name: 'desk', schema: { properties: { owner: to('managed/user', 'desk') } } },
    { name: 'role', schema: { properties: { members: many(to('managed/user', 'roles')) } } },
  ],
})
const model = relationshipModel(types)
if (!model) throw new Error('the types have relationships')

const end = (collection: string, id: string, property: string) => ({
  ...{ collection: `managed/${collection}`, id, property },
})
const row = (_id: string, own: ReturnType<typeof end>, other: ReturnType<typeof end>): SeenRelationship => ({
  ...{ _id, _rev: '0', own, other, properties: {} },
})
const stored = (id: string): StoredObject => ({ _id: id, _rev: '1' })
const update = (id: string, content: JsonObject): ObjectWrite => ({ operation: 'update', id, content })
const ref = (path: string): JsonObject => ({ _ref: `managed/${path}` })
const free: PageFacts = { exists: () => true, at: () => [] }

/** A page of writes to one set, with what is present of their relationships. */
function planned(
  set: string,
  writes: readonly { readonly write: ObjectWrite; readonly present?: readonly SeenRelationship[] }[],
  facts: PageFacts = free,
) {
  const type = model?.types.get(`managed/${set}`)
  if (!model || !type) throw new Error(`there is no managed/${set}`)
  const objects = writes.map(({ write, present = [] }) => {
    const before = write.operation === 'create' ? undefined : stored(write.id)
    const wanted = wantedObject({ model, type }, { write, stored: before }, false)
    const byProperty = Map.groupBy(present, ({ own }) => own.property)
    return wanted.kind === 'refused'
      ? wanted
      : planObject(type, wanted, { present: byProperty, conditionals: new Map() })
  })
  let next = 0
  const plan = planPage({ model, type }, objects, facts, () => `new${++next}`)
  return {
    inserts: plan.inserts.map(
      ({ _id, first, second }) => `${_id}: ${first.id} ${second.id}.${second.property}`,
    ),
    deletes: plan.deletes,
    others: plan.others.map(({ id, force, isWritten }) => `${id} ${force ?? (isWritten ? 'write' : 'note')}`),
    refusals: plan.objects.flatMap((object) => (object.kind === 'refused' ? [object.error.message] : [])),
    forces: plan.objects.map((object: { readonly force?: string | undefined } | RefusedObject) =>
      'force' in object ? object.force : 'refused',
    ),
  }
}

describe('the plan of a page', () => {
  it('of nothing is nothing', () => {
    expect(planned('user', [])).toEqual({ inserts: [], deletes: [], others: [], refusals: [], forces: [] })
  })

  it.each([
    {
      end: 'that shows one relationship gets a new revision',
      content: { desk: ref('desk/d1') },
      others: ['d1 bump'],
    },
    { end: 'that wants to know is notified', content: { groups: [ref('group/g1')] }, others: ['g1 notify'] },
    {
      end: 'of many, that neither shows nor wants it, is only noted',
      content: { roles: [ref('role/r1')] },
      others: ['r1 note'],
    },
    {
      end: 'outside of the page counts once, with the strongest of what touches it',
      content: { manager: ref('user/boss') },
      others: ['boss note'],
    },
  ])('an end $end', ({ content, others }) => {
    expect(planned('user', [{ write: update('ann', content) }]).others).toEqual(others)
  })

  it('an end in the page itself makes its own object change', () => {
    const plan = planned('user', [
      { write: update('ann', { reports: [ref('user/bob')] }) },
      { write: update('bob', {}) },
    ])
    expect(plan).toMatchObject({
      inserts: ['new1: ann bob.manager'],
      others: [],
      forces: [undefined, 'bump'],
    })
  })

  it('a place for one gives up what it had, and both ends learn of it', () => {
    const taken = row('1', end('desk', 'd1', 'owner'), end('user', 'bob', 'desk'))
    const plan = planned('user', [{ write: update('ann', { desk: ref('desk/d1') }) }], {
      exists: () => true,
      at: ({ id, property }) => (id === 'd1' && property === 'owner' ? [taken] : []),
    })
    expect(plan).toMatchObject({
      ...{ inserts: ['new1: ann d1.owner'], deletes: ['1'], others: ['d1 bump', 'bob bump'] },
    })
  })

  it('of several for a place for one the last stays', () => {
    const plan = planned(
      'user',
      ['ann', 'bob', 'eve'].map((id) => ({ write: update(id, { desk: ref('desk/d1') }) })),
    )
    expect(plan.inserts).toEqual(['new3: eve d1.owner'])
  })

  it('a relationship is deleted once, whichever of its ends goes', () => {
    const ofAnn = row('1', end('user', 'ann', 'reports'), end('user', 'bob', 'manager'))
    const ofBob = row('1', end('user', 'bob', 'manager'), end('user', 'ann', 'reports'))
    const plan = planned('user', [
      { write: { operation: 'delete', id: 'ann' }, present: [ofAnn] },
      { write: { operation: 'delete', id: 'bob' }, present: [ofBob] },
    ])
    expect(plan).toMatchObject({ deletes: ['1'], others: [] })
  })

  it('where the other set is not ours the relationship is seen at one end only', () => {
    const outside = managedTypes({
      objects: [{ name: 'user', schema: { properties: { accounts: many(to('system/ldap/account', 'x')) } } }],
    })
    const own = relationshipModel(outside)
    const type = own?.types.get('managed/user')
    if (!own || !type) throw new Error('there is one relationship')
    const write = update('ann', { accounts: [{ _ref: 'system/ldap/account/7' }] })
    const wanted = wantedObject({ model: own, type }, { write, stored: stored('ann') }, false)
    if (wanted.kind === 'refused') throw wanted.error
    const object = planObject(type, wanted, { present: new Map(), conditionals: new Map() })
    const plan = planPage({ model: own, type }, [object], free, () => 'new')
    expect(plan.inserts[0]?.second).toEqual({ collection: 'system/ldap/account', id: '7', property: '' })
    expect(plan.others).toEqual([])
  })
})

describe('the plan of a page refuses', () => {
  it('a reference to what is not there, and goes on with the others', () => {
    const plan = planned(
      'user',
      [
        { write: update('ann', { manager: ref('user/nobody') }) },
        { write: update('bob', { manager: ref('user/boss') }) },
      ],
      { exists: ({ id }) => id !== 'nobody', at: () => [] },
    )
    expect(plan.refusals).toEqual(['managed/user/ann: managed/user/nobody does not exist'])
    expect(plan.inserts).toEqual(['new1: bob boss.reports'])
  })

  it.each([
    { granted: 0, refusals: [] },
    { granted: 1, refusals: ['managed/role/red cannot be deleted: it is granted to 1 object'] },
    { granted: 2, refusals: ['managed/role/red cannot be deleted: it is granted to 2 objects'] },
  ])('to delete a role that is granted to $granted', ({ granted, refusals }) => {
    const present = Array.from({ length: granted }, (_, at) =>
      row(String(at), end('role', 'red', 'members'), end('user', `u${at}`, 'roles')),
    )
    const plan = planned('role', [{ write: { operation: 'delete', id: 'red' }, present }])
    expect(plan.refusals).toEqual(refusals)
    expect(plan.deletes).toEqual([])
  })
})
