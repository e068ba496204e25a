import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { type Operation, sourceOperation } from './operation.ts'
import { holdBack } from './split-conflicts.ts'

const operation = (sourceId: string, given: Partial<Operation>): Operation => ({
  ...sourceOperation(sourceId, { _id: sourceId }, 'default'),
  ...given,
})

const create = (sourceId: string, mail: string): Operation =>
  operation(sourceId, {
    situation: 'ABSENT',
    action: 'CREATE',
    correlation: parseFilter(`mail eq "${mail}"`),
    desired: { mail },
  })
const update = (sourceId: string, targetId: string): Operation =>
  operation(sourceId, {
    situation: 'FOUND',
    action: 'UPDATE',
    targetId,
    candidates: [{ id: targetId, linked: false }],
  })
const ambiguous = (sourceId: string, ...ids: string[]): Operation =>
  operation(sourceId, {
    situation: 'AMBIGUOUS',
    action: 'EXCEPTION',
    candidates: ids.map((id) => ({ id, linked: false })),
  })

function waiting(...page: Operation[]): (string | undefined)[] {
  return holdBack(page).heldBack.map(({ sourceId }) => sourceId)
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
    expect(holdBack(page).operations).toEqual(page)
  })
})

describe('what waits', () => {
  it('has forgotten everything but its source: the world will be another one', () => {
    const [held] = holdBack([update('a', 'u'), update('b', 'u')]).heldBack
    expect(held).toEqual(operation('b', {}))
  })
})
