import { describe, expect, it } from 'vitest'
import { readGuard } from '../mapping/guard.ts'
import { exceeded, excessInWords } from './guard.ts'

const foreseen = (deletes: number, linked: number, updates = 0, creates = 0) => ({
  counts: { deletes, updates, creates },
  linked,
  samples: { deletes: deletes > 0 ? ['u1', 'u2'] : [], updates: [], creates: [] },
})

describe('a run', () => {
  it.each([
    ['deletes 30% of its linked targets', undefined, foreseen(300, 1000), []],
    ['deletes more than that', undefined, foreseen(301, 1000), ['deletes']],
    ['deletes all of a hundred', undefined, foreseen(100, 100), []],
    ['deletes a third of a hundred and one', undefined, foreseen(31, 101), ['deletes']],
    ['deletes everything, unguarded', false, foreseen(1000, 1000), []],
    ['deletes one where none may be', { maxDeletes: 0 }, foreseen(1, 5), ['deletes']],
    ['deletes as many as it may', { maxDeletes: 5 }, foreseen(5, 5), []],
    ['updates more than it may', { maxUpdates: '10%' }, foreseen(0, 1000, 101), ['updates']],
    ['creates more than it may', { maxCreates: 10 }, foreseen(0, 0, 0, 11), ['creates']],
    [
      'does too much of everything',
      { maxDeletes: 0, maxUpdates: 0, maxCreates: 0 },
      foreseen(1, 1, 1, 1),
      ['deletes', 'updates', 'creates'],
    ],
  ])('that %s', (_what, guard, counts, limits) => {
    expect(exceeded(readGuard(guard), counts).map(({ what }) => what)).toEqual(limits)
  })

  it('that is stopped says how much it would have done, what is allowed, and to whom', () => {
    const [excess] = exceeded(readGuard(undefined), foreseen(340, 1000))
    expect(excess && excessInWords(excess)).toBe(
      '340 deletes for 1000 linked targets; at most 300 (30%) are allowed. Among them: u1, u2',
    )
  })
})
