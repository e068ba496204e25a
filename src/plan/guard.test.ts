import { describe, expect, it } from 'vitest'
import { readGuard } from '../mapping/guard.ts'
import type { Json } from '../model/json.ts'
import { countedAs, exceeded, excessInWords } from './guard.ts'

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

describe('an operation counts', () => {
  const change = (path: string, before: Json | undefined, after: Json | undefined) => ({
    pointer: path.split('/'),
    before,
    after,
  })
  const limits = readGuard({ attributes: { sn: 1, name: 1 } })
  const write = { changes: [], targetExists: true, linked: true }

  it.each([
    ['as a create', { ...write, action: 'CREATE' }, ['creates']],
    ['as a delete', { ...write, action: 'DELETE' }, ['deletes']],
    ['as nothing where its target is gone', { ...write, action: 'DELETE', targetExists: false }, []],
    ['as an unlink', { ...write, action: 'UNLINK' }, ['unlinks']],
    ['as nothing without a link', { ...write, action: 'UNLINK', linked: false }, []],
    ['as nothing without a change', { ...write, action: 'UPDATE' }, []],
    ['as nothing that is only reported', { ...write, action: 'REPORT' }, []],
    ['as an update', { ...write, action: 'UPDATE', changes: [change('mail', 'a', 'b')] }, ['updates']],
    [
      'as one of its attribute',
      { ...write, action: 'UPDATE', changes: [change('sn', 'a', 'b')] },
      ['updates', 'updates of sn'],
    ],
    [
      'once, whatever parts of it change',
      {
        ...write,
        action: 'UPDATE',
        changes: [change('name/first', 'a', 'b'), change('name/last', 'a', 'b')],
      },
      ['updates', 'updates of name'],
    ],
    [
      'as disabling',
      { ...write, action: 'UPDATE', changes: [change('accountStatus', 'active', 'INACTIVE')] },
      ['updates', 'disables'],
    ],
    [
      'as disabling with false',
      { ...write, action: 'UPDATE', changes: [change('__ENABLE__', true, false)] },
      ['updates', 'disables'],
    ],
    [
      'as disabling with "false"',
      { ...write, action: 'UPDATE', changes: [change('active', undefined, 'false')] },
      ['updates', 'disables'],
    ],
    [
      'not as disabling what it enables',
      { ...write, action: 'UPDATE', changes: [change('accountStatus', 'inactive', 'active')] },
      ['updates'],
    ],
    [
      'not as disabling what is disabled',
      { ...write, action: 'UPDATE', changes: [change('accountStatus', 'inactive', 'Inactive')] },
      ['updates'],
    ],
  ] as const)('%s', (_what, operation, counted) => {
    expect(countedAs(operation, limits)).toEqual(counted)
  })
})
