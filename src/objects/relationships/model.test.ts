import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { type RelationshipProperty, relationshipModel } from './model.ts'

const relation = (path: string, more: JsonObject = {}, of: JsonObject = {}): JsonObject => ({
  ...{ type: 'relationship', resourceCollection: [{ path, ...of }], ...more },
})
const many = (items: JsonObject): JsonObject => ({ type: 'array', items })
const model = (user: JsonObject, role: JsonObject = {}) =>
  relationshipModel(
    managedTypes({
      objects: [
        { name: 'user', schema: { properties: user } },
        { name: 'role', schema: { properties: { ...role, members: many(relation('managed/user')) } } },
        { name: 'group', schema: { properties: { bosses: many(relation('managed/user')) } } },
      ],
    }),
  )
const property = (schema: JsonObject) =>
  model({ it: schema })?.types.get('managed/user')?.properties.get('it')

describe('what a type says about a relationship', () => {
  it.each<[string, JsonObject, Partial<RelationshipProperty>]>([
    ['one', relation('managed/user'), { many: false, collections: ['managed/user'] }],
    ['a list', many(relation('managed/user')), { many: true }],
    [
      'one that may be null',
      { ...relation('managed/user'), type: ['relationship', 'null'] },
      { many: false },
    ],
    [
      'a reverse',
      relation('managed/user', { reverseRelationship: true, reversePropertyName: 'x' }),
      { reverse: 'x' },
    ],
    ['a name alone is no reverse', relation('managed/user', { reversePropertyName: 'x' }), { reverse: '' }],
    ['a target that must exist', relation('managed/user', { validate: true }), { validate: true }],
    [
      'that it is notified itself',
      { ...many(relation('managed/user')), notifySelf: true },
      { notifySelf: true },
    ],
    [
      'whom it notifies',
      relation('managed/user', {}, { notify: true }),
      { notifies: new Set(['managed/user']) },
    ],
    ['no object by an empty list', relation('managed/user', {}, { notify: [] }), { notifies: new Set() }],
    [
      'that it is returned',
      { ...relation('managed/user'), returnByDefault: true },
      { returnedByDefault: true },
    ],
    [
      'a field with a condition',
      many(relation('managed/group', {}, { conditionalAssociationField: 'rule' })),
      { conditions: new Map([['managed/group', 'rule']]) },
    ],
    [
      'but not for one of a kind',
      relation('managed/group', {}, { conditionalAssociationField: 'rule' }),
      { conditions: new Map() },
    ],
  ])('%s', (_what, schema, expected) => {
    expect(property(schema)).toMatchObject(expected)
  })

  it('roles of the usual schema have a condition without saying so', () => {
    const usual = model({ roles: many(relation('managed/role')) }, { condition: { type: 'string' } })
    const { conditions } = usual?.types.get('managed/user')?.properties.get('roles') ?? {}
    expect(conditions).toEqual(new Map([['managed/role', 'condition']]))
  })

  it('no type with one: nothing is spent on them', () => {
    const types = managedTypes({
      objects: [{ name: 'user', schema: { properties: { mail: { type: 'string' } } } }],
    })
    expect(relationshipModel(types)).toBeUndefined()
  })
})

describe('who depends on whom', () => {
  const collected = (fields: string[], ...path: string[]): JsonObject => ({
    ...{ type: 'array', isVirtual: true },
    queryConfig: { referencedRelationshipFields: path, referencedObjectFields: fields },
  })
  const user = {
    roles: many(relation('managed/role')),
    groups: many(relation('managed/group')),
    names: collected(['name'], 'roles'),
    bossMails: collected(['mail'], 'groups', 'bosses'),
    everything: collected(['*'], 'groups'),
  }
  const dependents = (on: string) =>
    (model(user)?.dependents.get(on) ?? []).map(({ collection, chain, properties }) => [
      ...[
        collection,
        chain.map((step) => step.property).join('/'),
        properties ? [...properties].join() : '*',
      ],
    ])
  it.each<[string, string[][]]>([
    ['managed/role', [['managed/user', 'roles', 'temporalConstraints,name']]],
    [
      'managed/group',
      [
        ['managed/user', 'groups', 'temporalConstraints,bosses'],
        ['managed/user', 'groups', '*'],
      ],
    ],
    ['managed/user', [['managed/user', 'groups/bosses', 'temporalConstraints,mail']]],
  ])('on %s', (on, expected) => {
    expect(dependents(on)).toEqual(expected)
  })
})
