import { describe, expect, it } from 'vitest'
import { planEntry as entry } from '../plan/testing/entry.ts'
import { describeEntry, isWorthShowing } from './plan-text.ts'

/** Not on a terminal, so without colours. */
describe('an entry of a plan reads', () => {
  it.each([
    [
      'as a diff, attribute by attribute',
      entry({
        changes: [
          { pointer: ['mail'], before: 'a@x', after: 'b@x' },
          { pointer: ['name', 'last'], before: undefined, after: 'O' },
          { pointer: ['phone'], before: '1', after: undefined },
        ],
      }),
      [
        '~ UPDATE  s1 → t1  CONFIRMED',
        '    ~ mail: "a@x" → "b@x"',
        '    + name/last: "O"',
        '    - phone: "1"',
      ],
    ],
    [
      'with a new target',
      entry({ action: 'CREATE', situation: 'ABSENT', targetId: null }),
      ['+ CREATE  s1 → (new)  ABSENT'],
    ],
    [
      'without a source',
      entry({ action: 'DELETE', situation: 'UNASSIGNED', sourceId: null }),
      ['- DELETE  (no source) → t1  UNASSIGNED'],
    ],
    [
      'with its link qualifier',
      entry({ action: 'LINK', situation: 'FOUND', linkQualifier: 'agent' }),
      ['= LINK  s1 → t1 [agent]  FOUND'],
    ],
    [
      'with what stands in the way',
      entry({
        action: 'EXCEPTION',
        situation: 'AMBIGUOUS',
        targetId: null,
        ambiguousTargetIds: ['a', 'b'],
        refusal: 'Situation AMBIGUOUS marked as EXCEPTION',
      }),
      [
        '! EXCEPTION  s1 → (none)  AMBIGUOUS',
        '    Situation AMBIGUOUS marked as EXCEPTION',
        '    candidates: a, b',
      ],
    ],
  ])('%s', (_how, given, lines) => {
    expect(describeEntry(given).split('\n')).toEqual(lines)
  })
})

describe('a plan shows', () => {
  it('what would be written and what cannot be done, and passes over the rest', () => {
    expect(isWorthShowing(entry({}))).toBe(true)
    expect(isWorthShowing(entry({ writes: false }))).toBe(false)
    expect(isWorthShowing(entry({ writes: false, refusal: 'no target object to link' }))).toBe(true)
  })
})
