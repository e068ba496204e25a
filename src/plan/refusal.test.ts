import { describe, expect, it } from 'vitest'
import { type Action, actions, situations } from '../mapping/situation.ts'
import { type ActionFacts, refusalOf } from './refusal.ts'

const facts = (given: Partial<ActionFacts>): ActionFacts => ({
  situation: 'CONFIRMED',
  sourceExists: true,
  targetId: 'jdoe',
  targetExists: true,
  linked: true,
  linkingEnabled: true,
  ...given,
})

/** engine §4.3 and §4.5: pairs of action and facts that have nothing to work on. */
const refused: [what: string, action: Action, given: Partial<ActionFacts>, message: string][] = [
  [
    'CREATE in the target phase',
    'CREATE',
    { sourceExists: false, targetExists: false },
    'no source object to create target from',
  ],
  ['CREATE where the target is there', 'CREATE', {}, 'target object already exists'],
  [
    'UPDATE for ABSENT',
    'UPDATE',
    { situation: 'ABSENT', targetId: undefined, targetExists: false, linked: false },
    'no target object to link',
  ],
  [
    'UPDATE for AMBIGUOUS',
    'UPDATE',
    { situation: 'AMBIGUOUS', targetId: undefined, targetExists: false, linked: false },
    'no target object to link',
  ],
  [
    'LINK for ABSENT',
    'LINK',
    { situation: 'ABSENT', targetId: undefined, targetExists: false, linked: false },
    'no target object to link',
  ],
  [
    'LINK for UNASSIGNED in the target phase',
    'LINK',
    { situation: 'UNASSIGNED', sourceExists: false, linked: false },
    'no source object to link',
  ],
  [
    'UPDATE for UNASSIGNED in the target phase',
    'UPDATE',
    { situation: 'UNASSIGNED', sourceExists: false, linked: false },
    'no source object to link',
  ],
]

describe('an action that has nothing to work on is refused before its first effect', () => {
  it.each(refused)('%s: %s with %o says "%s"', (_what, action, given, message) => {
    expect(refusalOf(action, facts(given))).toBe(message)
  })
})

describe('an action that can be performed is not refused', () => {
  it.each([
    ['CREATE', { targetExists: false, targetId: undefined, linked: false }],
    ['CREATE', { situation: 'MISSING', targetExists: false }],
    ['UPDATE', {}],
    ['UPDATE', { situation: 'MISSING', targetExists: false }],
    ['LINK', { linked: false }],
    ['DELETE', { sourceExists: false, linked: false }],
    ['DELETE', { targetId: undefined, targetExists: false, linked: false }],
    ['UNLINK', { linked: false }],
  ] satisfies [Action, Partial<ActionFacts>][])('%s with %o', (action, given) => {
    expect(refusalOf(action, facts(given))).toBeUndefined()
  })

  it.each(actions.filter((action) => ['REPORT', 'NOREPORT', 'ASYNC', 'IGNORE'].includes(action)))(
    '%s, whatever the facts',
    (action) => {
      for (const situation of situations)
        expect(refusalOf(action, facts({ situation, targetId: undefined }))).toBeUndefined()
    },
  )
})

describe('EXCEPTION', () => {
  it.each(situations)('names the situation %s', (situation) => {
    expect(refusalOf('EXCEPTION', facts({ situation }))).toBe(`Situation ${situation} marked as EXCEPTION`)
  })
})
