import { describe, expect, it } from 'vitest'
import { noScripts } from '../mapping/call.ts'
import type { Policy } from '../mapping/mapping.ts'
import { type Action, actions, defaultAction, type Situation, situations } from '../mapping/situation.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { choose, type PolicyScope } from './choose.ts'

const scope: PolicyScope = {
  source: { _id: 'u-1', type: 'contractor' },
  target: null,
  sourceAction: true,
  linkQualifier: 'default',
  recon: { actionParam: { _action: 'performAction' } },
}

function policy(situation: Situation, action: Action | { script: string }, condition?: string): Policy {
  return {
    situation,
    action:
      typeof action === 'string' ? { kind: 'action', action } : { kind: 'script', script: action.script },
    condition: condition === undefined ? undefined : { kind: 'filter', filter: parseFilter(condition) },
    postAction: undefined,
  }
}

/** The defaults of engine §3.5, [C]. */
const defaults: [Situation, Action][] = [
  ['CONFIRMED', 'UPDATE'],
  ['FOUND', 'UPDATE'],
  ['FOUND_ALREADY_LINKED', 'EXCEPTION'],
  ['ABSENT', 'CREATE'],
  ['AMBIGUOUS', 'EXCEPTION'],
  ['MISSING', 'EXCEPTION'],
  ['UNQUALIFIED', 'DELETE'],
  ['SOURCE_IGNORED', 'REPORT'],
  ['TARGET_IGNORED', 'REPORT'],
  ['UNASSIGNED', 'EXCEPTION'],
  ['SOURCE_MISSING', 'EXCEPTION'],
  ['LINK_ONLY', 'EXCEPTION'],
  ['ALL_GONE', 'NOREPORT'],
]

describe('without a policy', () => {
  it.each(defaults)('%s leads to %s', (situation, action) => {
    expect(choose({ policies: [] }, situation, scope, noScripts)).toEqual({ action, policy: undefined })
  })

  it('every situation has a default', () => {
    expect(defaults.map(([situation]) => situation).toSorted()).toEqual(situations.toSorted())
    expect(Object.keys(defaultAction).toSorted()).toEqual(situations.toSorted())
  })
})

describe('with policies', () => {
  it.each(actions)('a policy may choose %s for any situation', (action) => {
    for (const situation of situations) {
      expect(choose({ policies: [policy(situation, action)] }, situation, scope, noScripts)).toEqual({
        action,
        policy: 0,
      })
    }
  })

  it('passes over policies of other situations', () => {
    const policies = [policy('MISSING', 'UNLINK'), policy('ABSENT', 'IGNORE')]
    expect(choose({ policies }, 'ABSENT', scope, noScripts)).toEqual({ action: 'IGNORE', policy: 1 })
  })

  it('takes the first whose condition is true, comparing without case', () => {
    const policies = [
      policy('ABSENT', 'IGNORE', '/object/type eq "employee"'),
      policy('ABSENT', 'REPORT', '/object/type eq "CONTRACTOR"'),
      policy('ABSENT', 'CREATE'),
    ]
    expect(choose({ policies }, 'ABSENT', scope, noScripts)).toEqual({ action: 'REPORT', policy: 1 })
  })

  it('falls back to the default where no condition is true, and then no policy decided', () => {
    const policies = [policy('ABSENT', 'IGNORE', '/linkQualifier eq "agent"')]
    expect(choose({ policies }, 'ABSENT', scope, noScripts)).toEqual({ action: 'CREATE', policy: undefined })
  })
})

describe('a scripted action', () => {
  const policies = [policy('ABSENT', { script: 'choose' })]

  it('sees source, target, sourceAction, linkQualifier and recon, and its value is the action', () => {
    const seen: unknown[] = []
    const decision = choose({ policies }, 'ABSENT', scope, (script, variables) => {
      seen.push(script, variables)
      return 'ASYNC'
    })
    expect(decision).toEqual({ action: 'ASYNC', policy: 0 })
    expect(seen).toEqual(['choose', scope])
  })

  it.each([null, undefined])('that comes to %s is an error', (value) => {
    expect(() => choose({ policies }, 'ABSENT', scope, () => value)).toThrow(
      'action script returned null value',
    )
  })

  it.each(['create', 'EXPLODE', 7])('that comes to %o is an error that lists the actions', (value) => {
    expect(() => choose({ policies }, 'ABSENT', scope, () => value)).toThrow(
      /returned invalid action.*CREATE, UPDATE/,
    )
  })
})

describe('a scripted condition', () => {
  const conditional: Policy = { ...policy('ABSENT', 'IGNORE'), condition: { kind: 'script', script: 'when' } }

  it.each([
    [true, 'IGNORE'],
    [false, 'CREATE'],
    ['true', 'CREATE'],
    [1, 'CREATE'],
    [null, 'CREATE'],
  ])('that comes to %o leads to %s: only the boolean true counts', (value, action) => {
    expect(choose({ policies: [conditional] }, 'ABSENT', scope, () => value).action).toBe(action)
  })
})
