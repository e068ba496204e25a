import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DeletedSituation, deletedSituations } from '../mapping/situation.ts'
import { assessDeleted } from './assess-deleted.ts'
import type { DeletedFacts } from './facts.ts'

const link = { targetId: 'jdoe' }
const oldValue = { _id: 'u-1', mail: 'jdoe@example.com' }
const one = [{ id: 'jdoe', linked: false }]
const two = [...one, { id: 'jdoe2', linked: false }]

function facts(given: Partial<DeletedFacts>): DeletedFacts {
  return {
    link: undefined,
    targetExists: false,
    targetIsValid: false,
    oldValue: undefined,
    oldValueIsValid: false,
    candidates: [],
    ...given,
  }
}

type Row = [what: string, given: Partial<DeletedFacts>, situation: DeletedSituation]

/** engine §3.3, row by row. */
const rows: Row[] = [
  [
    'linked, the target exists and is valid',
    { link, targetExists: true, targetIsValid: true },
    'SOURCE_MISSING',
  ],
  ['linked, the target exists and is not valid', { link, targetExists: true }, 'TARGET_IGNORED'],
  ['linked, the target is gone', { link }, 'LINK_ONLY'],
  ['not linked, no old value', {}, 'ALL_GONE'],
  ['not linked, nothing matches the old value', { oldValue, oldValueIsValid: true }, 'ALL_GONE'],
  [
    'not linked, one match, the old value was valid',
    { oldValue, candidates: one, oldValueIsValid: true },
    'UNASSIGNED',
  ],
  ['not linked, one match, the old value was not valid', { oldValue, candidates: one }, 'TARGET_IGNORED'],
  [
    'not linked, several match, the old value was valid',
    { oldValue, candidates: two, oldValueIsValid: true },
    'AMBIGUOUS',
  ],
  ['not linked, several match, the old value was not valid', { oldValue, candidates: two }, 'UNQUALIFIED'],
]

describe('a deleted source object', () => {
  it.each(rows)('%s: %o is %s', (_what, given, situation) => {
    expect(assessDeleted(facts(given))).toBe(situation)
  })

  it('covers every situation of the table', () => {
    expect(new Set(rows.map(([, given]) => assessDeleted(facts(given))))).toEqual(new Set(deletedSituations))
  })

  it('always comes to exactly one situation of the table, and to the same one', () => {
    const anyFacts = fc.record({
      link: fc.constantFrom(undefined, link),
      targetExists: fc.boolean(),
      targetIsValid: fc.boolean(),
      oldValue: fc.constantFrom(undefined, oldValue),
      oldValueIsValid: fc.boolean(),
      candidates: fc.constantFrom([], one, two),
    })
    fc.assert(
      fc.property(anyFacts, (given) => {
        expect(deletedSituations).toContain(assessDeleted(given))
        expect(assessDeleted({ ...given })).toBe(assessDeleted(given))
      }),
    )
  })
})
