import { describe, expect, it } from 'vitest'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import type { Conditional } from './conditions.ts'
import type { RelatedType, RelationshipProperty } from './model.ts'
import { changesBy, planObject } from './plan-object.ts'
import type { Edit, WantedObject, WantedReference } from './wanted.ts'

const property = (name: string, more: Partial<RelationshipProperty> = {}): RelationshipProperty => ({
  ...{ collection: 'managed/user', name, many: true, reverse: '', validate: false, collections: [] },
  ...{ notifySelf: false, notifies: new Set(), conditions: new Map(), returnedByDefault: false },
  ...more,
})
const role = (id: string) => ({ collection: 'managed/role', id })
const row = (_id: string, to: string, properties: JsonObject = {}): SeenRelationship => ({
  ...{ _id, _rev: '0', properties },
  own: { collection: 'managed/user', id: 'ann', property: 'roles' },
  other: { ...role(to), property: 'members' },
})
const wanted = (to: string, properties: JsonObject = {}, id?: string): WantedReference => ({
  ...{ target: role(to), properties, id },
})
const set = (...references: WantedReference[]): Edit => ({ kind: 'set', references })
const add = (reference: WantedReference): Edit => ({ kind: 'add', reference })
const removed = (reference: WantedReference): Edit => ({ kind: 'remove', reference })
const replaced = (from: WantedReference, reference: WantedReference): Edit => ({
  ...{ kind: 'replace', reference, from: { target: from.target, id: from.id ?? '' } },
})
const conditional = { _grantType: 'conditional' }

/** In short: `+red` is inserted, `~1` is updated, `-1` is deleted. */
function inShort(existing: readonly SeenRelationship[], edits: readonly Edit[], governed = false) {
  const { inserts, updates, deletes } = changesBy(property('roles'), existing, edits, governed)
  return [
    ...inserts.map(({ target, id }) => `+${target.id}${id === undefined ? '' : `(${id})`}`),
    ...updates.map(({ before, properties }) => `~${before._id}${JSON.stringify(properties)}`),
    ...deletes.map(({ _id }) => `-${_id}`),
  ].join(' ')
}

describe('wanted × present relationships of one property', () => {
  const two = [row('1', 'red'), row('2', 'blue', { level: 1 })]
  it.each<[string, SeenRelationship[], Edit[], string]>([
    ['nothing asked: nothing changes', two, [], ''],
    ['the same set: nothing changes', two, [set(wanted('red'), wanted('blue'))], ''],
    ['a set without one deletes it', two, [set(wanted('red'))], '-2'],
    [
      'a set with another one inserts it',
      two,
      [set(wanted('red'), wanted('blue'), wanted('green'))],
      '+green',
    ],
    ['an empty set deletes all', two, [set()], '-1 -2'],
    ['a bare reference keeps the properties', two, [set(wanted('red'), wanted('blue'))], ''],
    [
      'one with properties replaces them',
      two,
      [set(wanted('red'), wanted('blue', { level: 2 }))],
      '~2{"level":2}',
    ],
    [
      'the id decides between two to one target',
      [row('1', 'red'), row('2', 'red')],
      [set(wanted('red', {}, '2'))],
      '-1',
    ],
    [
      'twice the same target: the second is new',
      [row('1', 'red')],
      [set(wanted('red'), wanted('red', { level: 1 }))],
      '+red',
    ],
    ['an unknown id means the target', [row('1', 'red')], [set(wanted('red', {}, 'gone'))], ''],
    ['adding it with other properties adds it', two, [add(wanted('red', { level: 3 }))], '+red'],
    ['adding another adds it', two, [add(wanted('green'))], '+green'],
    ['removing by target', two, [removed(wanted('blue'))], '-2'],
    ['removing what is not there', two, [removed(wanted('green'))], ''],
    ['added, then removed: nothing', two, [add(wanted('green')), removed(wanted('green'))], ''],
    ['removed, then added: another one', two, [removed(wanted('red')), add(wanted('red'))], '+red -1'],
    ['added, then a set: the set counts', two, [add(wanted('green')), set(wanted('red'))], '-2'],
    [
      'replaced in place',
      two,
      [replaced(wanted('red', {}, '1'), wanted('red', { level: 9 }))],
      '~1{"level":9}',
    ],
    [
      'replaced by another target keeps its id',
      two,
      [replaced(wanted('red', {}, '1'), wanted('green'))],
      '+green(1) -1',
    ],
  ])('%s', (_situation, existing, edits, expected) => {
    expect(inShort(existing, edits)).toBe(expected)
  })

  it.each<[string, Edit[], string]>([
    ['a set does not delete a grant by condition', [set()], '-1'],
    ['nor does it bring one in', [set(wanted('red'), wanted('green', conditional))], ''],
    ['nor is one removed', [removed(wanted('blue'))], ''],
  ])('grants by condition cannot be edited: %s', (_situation, edits, expected) => {
    expect(inShort([row('1', 'red'), row('2', 'blue', conditional)], edits, true)).toBe(expected)
  })

  it.each<[string, Edit[]]>([
    ['what is there', [add(wanted('red'))]],
    ['one twice', [add(wanted('green')), add(wanted('green'))]],
  ])('refuses to add %s', (_what, edits) => {
    expect(() => changesBy(property('roles'), two, edits)).toThrow(
      expect.objectContaining({ code: 'PRECONDITION_FAILED' }),
    )
  })

  it('refuses to replace a relationship that is not there', () => {
    const edit = replaced(wanted('red', {}, '7'), wanted('green'))
    expect(() => changesBy(property('roles'), two, [edit])).toThrow(
      'managed/user: roles has no relationship 7',
    )
  })
})

describe('grants by condition', () => {
  const type: RelatedType = {
    collection: 'managed/user',
    properties: new Map([
      ['roles', property('roles', { conditions: new Map([['managed/role', 'condition']]) })],
      ['manager', property('manager', { many: false })],
    ]),
    ...{ collected: [], notifiedOf: new Map(), hidden: new Set(), isRole: false, required: [] },
  }
  const granting = (id: string, condition: string): Conditional => ({
    ...{ target: role(id), properties: [condition.split(/[ /]/)[0] ?? ''] },
    holdsFor: compileFilter(parseFilter(condition)),
  })
  const planned = (own: JsonObject, present: readonly SeenRelationship[], edits: [string, Edit[]][] = []) => {
    const object: WantedObject = {
      ...{ kind: 'wanted', stored: undefined, own, edits: new Map(edits), force: undefined },
      write: { operation: 'update', id: 'ann', content: own },
    }
    const all = [granting('red', 'city eq "Bonn"'), granting('led', 'manager/_refResourceId eq "boss"')]
    const facts = { present: new Map([['roles', present]]), conditionals: new Map([['roles', all]]) }
    const plan = planObject(type, object, facts)
    if (plan.kind === 'refused') throw plan.error
    const { inserts, deletes } = plan.changes.get('roles') ?? { inserts: [], deletes: [] }
    return [...inserts.map(({ target }) => `+${target.id}`), ...deletes.map(({ _id }) => `-${_id}`)].join(' ')
  }
  const boss: [string, Edit[]] = [
    'manager',
    [set({ target: { collection: 'managed/user', id: 'boss' }, id: undefined, properties: {} })],
  ]
  it.each<[string, JsonObject, SeenRelationship[], [string, Edit[]][], string]>([
    ['come when the condition holds', { city: 'Bonn' }, [], [], '+red'],
    ['stay while it holds', { city: 'Bonn' }, [row('1', 'red', conditional)], [], ''],
    ['go when it does not', { city: 'Rome' }, [row('1', 'red', conditional)], [], '-1'],
    ['are not needed beside a grant of one’s own', { city: 'Bonn' }, [row('1', 'red')], [], ''],
    [
      'give way to it',
      { city: 'Bonn' },
      [row('1', 'red', conditional)],
      [['roles', [add(wanted('red'))]]],
      '+red -1',
    ],
    ['leave a grant of one’s own alone', { city: 'Rome' }, [row('1', 'red')], [], ''],
    ['look at relationships as they will be', {}, [], [boss], '+led'],
  ])('%s', (_situation, own, present, edits, expected) => {
    expect(planned(own, present, edits)).toBe(expected)
  })
})
