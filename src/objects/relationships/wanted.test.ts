import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { relationshipModel } from './model.ts'
import { type Edit, editsByPatch, wantedObject } from './wanted.ts'

const relation = (path: string, reverse: string): JsonObject => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse },
  resourceCollection: [{ path }],
})
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: {
        properties: {
          mail: { type: 'string' },
          manager: relation('managed/user', 'reports'),
          reports: { type: 'array', items: relation('managed/user', 'manager') },
          roles: { type: 'array', items: relation('managed/role', 'members') },
          effectiveRoles: { type: 'array', queryConfig: { referencedRelationshipFields: ['roles'] } },
        },
      },
    },
    {
      name: 'role',
      schema: {
        properties: {
          condition: { type: 'string' },
          members: { type: 'array', items: relation('managed/user', 'roles') },
        },
      },
    },
  ],
})
const model = relationshipModel(types)
const typeOf = (name: string) => {
  const type = model?.types.get(`managed/${name}`)
  if (!model || !type) throw new Error(`there is no managed/${name}`)
  return { model, type }
}

describe('what the content of a write asks for', () => {
  const stored: StoredObject = { _id: 'x', _rev: '1' }
  const wanted = (
    name: string,
    write: ObjectWrite,
    before: StoredObject | undefined = stored,
    taken = false,
  ) => {
    const { model, type } = typeOf(name)
    return wantedObject({ model, type }, { write, stored: before }, taken)
  }
  const update = (content: JsonObject, rev?: string): ObjectWrite => ({
    operation: 'update',
    id: 'x',
    rev,
    content,
  })

  it('is its own part, and edits of the relationships that it mentions', () => {
    const content = { _id: 'x', mail: 'a@b', manager: { _ref: 'managed/user/y' }, effectiveRoles: [] }
    const target = { collection: 'managed/user', id: 'y' }
    expect(wanted('user', update(content))).toMatchObject({
      ...{ kind: 'wanted', own: { mail: 'a@b' } },
      edits: new Map([['manager', [{ kind: 'set', references: [{ target, properties: {} }] }]]]),
    })
  })

  const role = (content: JsonObject) => ['role', update(content)] as const
  const user = (content: JsonObject) => ['user', update(content)] as const
  it.each<readonly [string, readonly [string, ObjectWrite, (StoredObject | undefined)?, boolean?], string]>([
    [
      'an object that is there already',
      ['user', { operation: 'create', id: 'x', content: {} }, undefined, true],
      'managed/user/x exists already',
    ],
    ['another revision', ['user', update({}, '7')], 'managed/user/x has changed since the revision given'],
    ['a condition that is no filter', role({ condition: 'city is "Bonn"' }), 'managed/role: condition'],
    [
      'a condition that is no text',
      role({ condition: 7 }),
      'managed/role: condition is a query filter, not 7',
    ],
    [
      'a constraint that is no interval',
      role({ temporalConstraints: [{ duration: 'now' }] }),
      'is no interval',
    ],
    [
      'no list where one is needed',
      user({ reports: { _ref: 'managed/user/y' } }),
      'managed/user: reports is a list of references',
    ],
    [
      'what is no reference',
      user({ manager: 'y' }),
      'managed/user: manager needs {"_ref": "set/type/id"}, not "y"',
    ],
    [
      'a reference to a set that may not be here',
      user({ manager: { _ref: 'managed/role/y' } }),
      'managed/user: manager may refer to managed/user, not to managed/role/y',
    ],
  ])('is refused for %s', (_situation, [name, write, before, taken], message) => {
    const result = wanted(name, write, before ?? stored, taken)
    expect(result.kind === 'refused' ? result.error.message : 'wanted').toContain(message)
  })

  it('is refused where there is nothing to change', () => {
    const { model, type } = typeOf('user')
    const result = wantedObject({ model, type }, { write: update({}) }, false)
    expect(result.kind === 'refused' && result.error.message).toBe('managed/user/x does not exist')
  })
})

describe('what a patch asks for', () => {
  const short = (edits: readonly Edit[]): string =>
    edits
      .map((edit) => {
        const to = edit.kind === 'set' ? edit.references : [edit.reference]
        return `${edit.kind} ${to.map(({ target }) => target.id).join(',')}`
      })
      .join('; ')
  const reference = { _ref: 'managed/role/red' }
  it.each<[string, JsonObject[], Json, string]>([
    ['appending touches one', [{ operation: 'add', field: '/roles/-', value: reference }], null, 'add red'],
    [
      'removing by value touches one',
      [{ operation: 'remove', field: '/roles', value: reference }],
      null,
      'remove red',
    ],
    ['in a list, too', [{ operation: 'remove', field: '/roles', value: [reference] }], null, 'remove red'],
    ['removing the property empties it', [{ operation: 'remove', field: '/roles' }], null, 'set '],
    ['replacing sets it', [{ operation: 'replace', field: '/roles', value: [reference] }], null, 'set red'],
    [
      'anything else is applied to what is there',
      [{ operation: 'add', field: '/manager/_refProperties', value: { since: 2020 } }],
      { _ref: 'managed/user/y' },
      'set y',
    ],
  ])('%s', async (_situation, operations, current, expected) => {
    const edits = await editsByPatch(typeOf('user').type, parsePatch(operations), async () => current)
    expect(short([...edits.values()].flat())).toBe(expected)
  })
})
