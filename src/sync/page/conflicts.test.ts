import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { firstConflict } from './conflicts.ts'
import { type Decided, nothingDecided } from './operation.ts'

const operation = (sourceId: string, given: Partial<Decided>) =>
  ({
    ...{ stage: 'decided', phase: 'source', linkQualifier: 'default', sourceId, source: { _id: sourceId } },
    ...{ link: undefined, correlation: undefined, candidates: [], targetId: undefined, target: undefined },
    ...{ qualifies: true, disqualifiedBy: undefined, failure: undefined, ...nothingDecided },
    ...given,
  }) as Decided

const create = (sourceId: string, mail: string): Decided =>
  operation(sourceId, {
    situation: 'ABSENT',
    action: 'CREATE',
    correlation: parseFilter(`mail eq "${mail}"`),
    desired: { mail },
  })
const update = (sourceId: string, targetId: string): Decided =>
  operation(sourceId, {
    situation: 'FOUND',
    action: 'UPDATE',
    targetId,
    candidates: [{ id: targetId, linked: false }],
  })
const ambiguous = (sourceId: string, ...ids: string[]): Decided =>
  operation(sourceId, {
    situation: 'AMBIGUOUS',
    action: 'EXCEPTION',
    candidates: ids.map((id) => ({ id, linked: false })),
  })

function waiting(...page: Decided[]): (string | undefined)[] {
  return page.slice(firstConflict(page)).map(({ sourceId }) => sourceId)
}

describe('an operation of a page waits', () => {
  it.each([
    ['if it is about a target that an earlier one changes', [update('a', 'u'), update('b', 'u')], ['b']],
    ['if correlation offered it such a target', [update('a', 'u'), ambiguous('b', 'u', 'v')], ['b']],
    [
      'if its correlation would find what an earlier one creates',
      [create('a', 'x'), create('b', 'x')],
      ['b'],
    ],
    [
      'also in other letter case: who knows how the target compares',
      [create('a', 'x@Y'), create('b', 'X@y')],
      ['b'],
    ],
    [
      'if it stands behind one that waits: what it writes might concern that one',
      [update('a', 'u'), ambiguous('b', 'u', 'v'), create('c', 'x')],
      ['b', 'c'],
    ],
  ])('%s', (_why, page, ids) => {
    expect(waiting(...page)).toEqual(ids)
  })

  it('if its correlation is no join and might find what an earlier one creates', () => {
    const prefix = { ...create('b', 'y'), correlation: parseFilter('mail sw "x"') }
    expect(waiting(create('a', 'xyz'), prefix)).toEqual(['b'])
    expect(waiting(create('a', 'other'), prefix)).toEqual([])
  })
})

describe('operations of a page go on together', () => {
  it.each([
    ['about different targets', [update('a', 'u'), update('b', 'v'), create('c', 'x'), create('d', 'y')]],
    ['if the earlier one changes nothing', [ambiguous('a', 'u', 'v'), update('b', 'u')]],
  ])('%s', (_why, page) => {
    expect(waiting(...page)).toEqual([])
    expect(firstConflict(page)).toBe(page.length)
  })
})
