import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SourceSituation, sourceSituations } from '../mapping/situation.ts'
import { assessSource, boundTarget } from './assess-source.ts'
import type { Candidate, SourceFacts } from './facts.ts'

const free = (id: string): Candidate => ({ id, linked: false })
const taken = (id: string): Candidate => ({ id, linked: true })
const link = { targetId: 'jdoe' }

function facts(given: Partial<SourceFacts>): SourceFacts {
  return { qualifies: true, link: undefined, targetExists: false, candidates: [], ...given }
}

type Row = [what: string, given: Partial<SourceFacts>, situation: SourceSituation, bound: string | undefined]

/** engine §3.2, "Source exists", row by row. */
const qualifying: Row[] = [
  ['with a link to a target that exists', { link, targetExists: true }, 'CONFIRMED', 'jdoe'],
  ['with a link to a target that is gone', { link }, 'MISSING', 'jdoe'],
  ['without a link, where correlation finds nothing', {}, 'ABSENT', undefined],
  ['without a link, where one unlinked target matches', { candidates: [free('jdoe')] }, 'FOUND', 'jdoe'],
  [
    'without a link, where the one match is linked already',
    { candidates: [taken('jdoe')] },
    'FOUND_ALREADY_LINKED',
    'jdoe',
  ],
  [
    'without a link, where several match',
    { candidates: [free('jdoe'), free('jdoe2')] },
    'AMBIGUOUS',
    undefined,
  ],
  [
    'without a link, where several match and one is linked',
    { candidates: [taken('a'), free('b')] },
    'AMBIGUOUS',
    undefined,
  ],
]
const unqualifying: Row[] = [
  ['with a link to a target that exists', { link, targetExists: true }, 'UNQUALIFIED', 'jdoe'],
  ['with a link to a target that is gone', { link }, 'UNQUALIFIED', 'jdoe'],
  ['without a link, where correlation finds nothing', {}, 'SOURCE_IGNORED', undefined],
  ['without a link, where one target matches', { candidates: [free('jdoe')] }, 'UNQUALIFIED', 'jdoe'],
  [
    'without a link, where the one match is linked already',
    { candidates: [taken('jdoe')] },
    'UNQUALIFIED',
    'jdoe',
  ],
  [
    'without a link, where several match',
    { candidates: [free('jdoe'), free('b')] },
    'UNQUALIFIED',
    undefined,
  ],
]

describe('a qualifying source object', () => {
  it.each(qualifying)('%s: %o is %s, bound to %s', (_what, given, situation, bound) => {
    expect(assessSource(facts(given))).toBe(situation)
    expect(boundTarget(facts(given))).toBe(bound)
  })
})

describe('a source object that does not qualify', () => {
  it.each(unqualifying)('%s: %o is %s, bound to %s', (_what, given, situation, bound) => {
    expect(assessSource(facts({ ...given, qualifies: false }))).toBe(situation)
    expect(boundTarget(facts(given))).toBe(bound)
  })
})

describe('assessing a source object', () => {
  const anyFacts = fc.record({
    qualifies: fc.boolean(),
    link: fc.option(fc.record({ targetId: fc.string() }), { nil: undefined }),
    targetExists: fc.boolean(),
    candidates: fc.array(fc.record({ id: fc.string(), linked: fc.boolean() }), { maxLength: 3 }),
  })

  it('gives every combination of facts exactly one situation of the table, and always the same', () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const situation = assessSource(given)
        expect(sourceSituations).toContain(situation)
        expect(assessSource(structuredClone(given))).toBe(situation)
      }),
    )
  })

  it('reaches every situation of the table', () => {
    const reached = [
      ...qualifying.map(([, given]) => facts(given)),
      ...unqualifying.map(([, given]) => facts({ ...given, qualifies: false })),
    ]
    expect(new Set(reached.map(assessSource))).toEqual(new Set(sourceSituations))
  })
})
