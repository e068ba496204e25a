import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../model/json.ts'
import { script } from '../testing/script.ts'
import { applyAssignments, assignmentScript, assignmentScripts, assignmentsChanged } from './assignments.ts'

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
  more: { linkQualifier?: string; oldSource?: JsonObject; existingTarget?: JsonObject } = {},
) {
  applyAssignments(target, { mapping: 'user_ldap', linkQualifier: 'default', source, ...more })
  return target
}

/** engine §2.2, `onMapping`: what an operation leaves of `groups`. */
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

describe('an attribute that the mapping has properties for, too', () => {
  it('keeps what the target has already', () => {
    const merging = [assignment('staff', [groups(['s'], { assignmentOperation: 'mergeWithTarget' })])]
    const existingTarget = { groups: ['x'] }
    expect(applied({ groups: ['mapped'] }, { effectiveAssignments: merging }, { existingTarget })).toEqual({
      groups: ['x', 's'],
    })
    const lastSync = { user_ldap: { effectiveAssignments: merging } }
    const existing = { groups: ['x', 's'] }
    expect(applied({ groups: ['mapped'] }, { lastSync }, { existingTarget: existing })).toEqual({
      groups: ['x'],
    })
    expect(existing).toEqual({ groups: ['x', 's'] })
  })
})

describe('a script of an assignment', () => {
  const said = (source: string) => assignmentScript(script(source))
  function scripted(
    target: JsonObject,
    source: JsonObject,
    answers: { [source: string]: (scope: JsonObject) => Json | undefined },
  ) {
    const scopes: JsonObject[] = []
    const scope = { mapping: 'user_ldap', linkQualifier: 'q', source, existingTarget: { old: 1 } }
    applyAssignments(target, scope, (name, variables) => {
      scopes.push(structuredClone(variables) as JsonObject)
      const [, answer] = Object.entries(answers).find(([one]) => said(one) === name) ?? []
      return answer?.(variables as JsonObject)
    })
    return { target, scopes }
  }

  it('decides a value in place of an operation, and hands on what it wants', () => {
    const attributes = ['a', 'b'].map((name) => ({
      name,
      value: [name],
      assignmentOperation: script('count'),
    }))
    const { target, scopes } = scripted(
      { a: 0 },
      { effectiveAssignments: [assignment('staff', attributes)] },
      {
        count: ({ attributesInfo, attributeName }) => {
          const n = Number((attributesInfo as JsonObject).n ?? 0) + 1
          return { value: `${attributeName}${n}`, attributesInfo: { n } }
        },
      },
    )
    expect(target).toEqual({ a: 'a1', b: 'b2' })
    expect(scopes[1]).toMatchObject({
      ...{ targetObject: { a: 'a1' }, existingTargetObject: { old: 1 }, linkQualifier: 'q' },
      ...{ attributeName: 'b', attributeValue: ['b'], attributesInfo: { n: 1 } },
    })
  })

  it('as a whole runs before the attributes, and may return another target', () => {
    const given = assignment('staff', [groups(['s'])], {
      onAssignment: script('new'),
      onUnassignment: script('gone'),
    })
    const answers = {
      new: () => ({ b: 1 }),
      gone: ({ targetObject }: JsonObject) => ({ ...(targetObject as JsonObject), c: 1 }),
    }
    expect(scripted({ a: 1 }, { effectiveAssignments: [given] }, answers).target).toEqual({
      b: 1,
      groups: ['s'],
    })
    const lastSync = { user_ldap: { effectiveAssignments: [given] } }
    expect(scripted({ a: 1, groups: ['s'] }, { lastSync }, answers).target).toEqual({
      a: 1,
      c: 1,
      groups: [],
    })
  })

  it('is found with the sources that may need it, for this mapping only', () => {
    const one = assignment('staff', [groups(1, { unassignmentOperation: script('u') })], {
      onAssignment: script('a'),
    })
    const other = { ...one, mapping: 'another', onAssignment: script('x') }
    expect(assignmentScripts({ effectiveAssignments: [one, other] }, undefined, 'user_ldap')).toEqual([
      script('a'),
      script('u'),
    ])
    expect(assignmentScripts({}, { effectiveAssignments: [one] }, 'user_ldap')).toHaveLength(2)
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
