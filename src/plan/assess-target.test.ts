import { describe, expect, it } from 'vitest'
import { type TargetSituation, targetSituations } from '../mapping/situation.ts'
import { assessTarget } from './assess-target.ts'
import type { TargetFacts } from './facts.ts'

/** Each bit of the number is one fact: all there are. */
const everyCombination: TargetFacts[] = Array.from({ length: 16 }, (_, bits) => ({
  targetIsValid: (bits & 1) > 0,
  linked: (bits & 2) > 0,
  sourceExists: (bits & 4) > 0,
  sourceQualifies: (bits & 8) > 0,
}))

type Row = [what: string, belongs: (facts: TargetFacts) => boolean, situation: TargetSituation]

/** engine §3.4, row by row; an "any" of the table leaves the fact open. */
const rows: Row[] = [
  ['gone, or refused by validTarget', (facts) => !facts.targetIsValid, 'TARGET_IGNORED'],
  ['valid and without a link', (facts) => facts.targetIsValid && !facts.linked, 'UNASSIGNED'],
  [
    'valid and linked to a source that is gone',
    (f) => f.targetIsValid && f.linked && !f.sourceExists,
    'SOURCE_MISSING',
  ],
  [
    'valid and linked to a source that does not qualify',
    (f) => f.targetIsValid && f.linked && f.sourceExists && !f.sourceQualifies,
    'UNQUALIFIED',
  ],
  [
    'valid and linked to a source that qualifies',
    (f) => f.targetIsValid && f.linked && f.sourceExists && f.sourceQualifies,
    'CONFIRMED',
  ],
]

describe('a target that no source led to', () => {
  it.each(rows)('%s is %3$s', (_what, belongs, situation) => {
    const combinations = everyCombination.filter(belongs)
    expect(combinations.length).toBeGreaterThan(0)
    for (const facts of combinations) expect(assessTarget(facts)).toBe(situation)
  })

  it('belongs to exactly one row of the table, whatever the facts', () => {
    for (const facts of everyCombination) expect(rows.filter(([, belongs]) => belongs(facts))).toHaveLength(1)
  })

  it('covers every situation of the table', () => {
    expect(new Set(everyCombination.map(assessTarget))).toEqual(new Set(targetSituations))
  })
})
