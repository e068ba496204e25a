import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../model/json.ts'
import { applyAssignments, assignmentsChanged } from './assignments.ts'

const groups = (value: Json, more: JsonObject = {}) => ({ name: 'groups', value, ...more })
const assignment = (name: string, attributes: JsonObject[], more: JsonObject = {}): JsonObject => ({
  _id: name,
  name,
  mapping: 'user_ldap',
  attributes,
  ...more,
})

function applied(
  target: JsonObject,
  source: JsonObject,
  more: { linkQualifier?: string; oldSource?: JsonObject } = {},
) {
  applyAssignments(target, { mapping: 'user_ldap', linkQualifier: 'default', source, ...more })
  return target
}

/** engine specification §2.2, `onMapping`: what an operation leaves of `groups`. */
const operations: [operation: string | undefined, before: Json, value: Json, after: Json][] = [
  [undefined, ['a'], ['b'], ['b']],
  ['replaceTarget', ['a'], ['b'], ['b']],
  ['replaceTarget', 'a', 'b', 'b'],
  ['mergeWithTarget', ['a'], ['b', 'a', 'b'], ['a', 'b']],
  ['mergeWithTarget', ['a'], 'b', ['a', 'b']],
  ['mergeWithTarget', { a: 1, b: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ['mergeWithTarget', null, ['b'], ['b']],
  ['removeFromTarget', ['a', 'b'], ['b'], ['a']],
  ['removeFromTarget', { a: 1, b: 2 }, { b: 2, a: 9 }, { a: 1 }],
  ['removeFromTarget', 'b', 'b', null],
  ['removeFromTarget', 'a', 'b', 'a'],
  ['removeFromTarget', null, ['b'], null],
  ['noOp', ['a'], ['b'], ['a']],
]

describe('an assignment that the source holds', () => {
  it.each(operations)('with %s makes %j and %j to %j', (assignmentOperation, before, value, after) => {
    const attribute = groups(value, assignmentOperation ? { assignmentOperation } : {})
    const source = { effectiveAssignments: [assignment('staff', [attribute])] }
    expect(applied({ groups: before }, source)).toEqual({ groups: after })
  })

  it('adds to what another one has replaced, so that no role takes away what another one gives', () => {
    const effectiveAssignments = [assignment('staff', [groups(['s'])]), assignment('boss', [groups(['b'])])]
    expect(applied({ groups: ['old'] }, { effectiveAssignments })).toEqual({ groups: ['s', 'b'] })
  })

  it.each([
    ['is of another mapping', { mapping: 'user_hr' }],
    ['is for other link qualifiers', { linkQualifiers: ['admin'] }],
  ])('is passed over if it %s', (_why, more) => {
    const effectiveAssignments = [assignment('staff', [groups(['s'])], more)]
    expect(applied({ groups: [] }, { effectiveAssignments })).toEqual({ groups: [] })
  })

  it('counts for a link qualifier that it names', () => {
    const effectiveAssignments = [assignment('staff', [groups(['s'])], { linkQualifiers: ['admin'] })]
    expect(applied({}, { effectiveAssignments }, { linkQualifier: 'admin' })).toEqual({ groups: ['s'] })
  })

  it('shares nothing with the target', () => {
    const source = { effectiveAssignments: [assignment('staff', [groups(['s'])])] }
    ;(applied({}, source).groups as Json[]).push('more')
    expect(source.effectiveAssignments[0]).toEqual(assignment('staff', [groups(['s'])]))
  })

  it.each([
    [
      'an unknown operation',
      assignment('staff', [groups(['s'], { assignmentOperation: 'addAll' })]),
      '"addAll"',
    ],
    ['a script', assignment('staff', [], { onAssignment: { file: 'x.js' } }), 'script onAssignment'],
  ])('fails with %s, rather than do something else', (_what, one, message) => {
    expect(() => applied({}, { effectiveAssignments: [one] })).toThrow(message)
  })
})

describe('an assignment that the source has lost', () => {
  const lastSync = { user_ldap: { effectiveAssignments: [assignment('staff', [groups(['s'])])] } }

  it('is undone, and what others gave stays', () => {
    expect(applied({ groups: ['s', 'x'] }, { lastSync, effectiveAssignments: [] })).toEqual({ groups: ['x'] })
  })

  it('is undone as its unassignmentOperation says', () => {
    const attributes = [groups(['s'], { unassignmentOperation: 'noOp' })]
    const kept = { user_ldap: { effectiveAssignments: [assignment('staff', attributes)] } }
    expect(applied({ groups: ['s'] }, { lastSync: kept })).toEqual({ groups: ['s'] })
  })

  it('is undone in part where it says something else now', () => {
    const now = [assignment('staff', [groups(['t'], { assignmentOperation: 'mergeWithTarget' })])]
    expect(applied({ groups: ['s', 'x'] }, { lastSync, effectiveAssignments: now })).toEqual({
      groups: ['x', 't'],
    })
  })

  it('is known from the source as it was where nothing has been remembered', () => {
    const oldSource = { effectiveAssignments: [assignment('staff', [groups(['s'])])] }
    expect(applied({ groups: ['s'] }, {}, { oldSource })).toEqual({ groups: [] })
  })
})

describe('what is remembered', () => {
  it.each<[boolean, JsonObject]>([
    [false, {}],
    [false, { effectiveAssignments: [] }],
    [true, { effectiveAssignments: [assignment('staff', [])] }],
    [true, { lastSync: { user_ldap: { effectiveAssignments: [assignment('staff', [])] } } }],
    [
      false,
      {
        effectiveAssignments: [assignment('staff', [])],
        lastSync: { user_ldap: { effectiveAssignments: [assignment('staff', [])] } },
      },
    ],
  ])('changes: %s for %j', (changes, source) => {
    expect(assignmentsChanged(source, 'user_ldap')).toBe(changes)
  })
})
