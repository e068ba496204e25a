import { describe, expect, it } from 'vitest'
import { readGuard } from './guard.ts'
import type { Policy } from './mapping.ts'
import { mayDelete } from './may-delete.ts'

const none = { deletes: undefined, updates: undefined, creates: undefined }
const thirty = { kind: 'share', percent: 30 }
const most = (count: number) => ({ kind: 'count', most: count })

describe('the guard of a mapping', () => {
  it.each([
    ['nothing: 30% of the linked targets may be deleted', undefined, { ...none, deletes: thirty }],
    ['null', null, { ...none, deletes: thirty }],
    ['false: no limits', false, none],
    ['a number', { maxDeletes: 5 }, { ...none, deletes: most(5) }],
    ['zero', { maxDeletes: 0 }, { ...none, deletes: most(0) }],
    ['a number as a property gives it', { maxDeletes: '5' }, { ...none, deletes: most(5) }],
    [
      'percentages',
      { maxDeletes: '2.5%', maxUpdates: '50 %' },
      { ...none, deletes: { kind: 'share', percent: 2.5 }, updates: { kind: 'share', percent: 50 } },
    ],
    ['null for one: that limit is gone', { maxDeletes: null, maxCreates: 7 }, { ...none, creates: most(7) }],
    ['other members', { comment: 'x' }, { ...none, deletes: thirty }],
  ])('may be %s', (_what, configured, limits) => {
    expect(readGuard(configured as never)).toEqual(limits)
  })

  it.each([
    [true, 'guard must be'],
    ['30%', 'guard must be'],
    [{ maxDeletes: -1 }, 'guard/maxDeletes'],
    [{ maxUpdates: 1.5 }, 'guard/maxUpdates'],
    [
      { maxCreates: 'many' },
      'guard/maxCreates must be a number of objects or a percentage such as "30%", not "many"',
    ],
    [{ maxDeletes: true }, 'guard/maxDeletes'],
  ])('cannot be %o', (configured, message) => {
    expect(() => readGuard(configured)).toThrow(message)
  })

  it('is overridden for one run limit by limit', () => {
    const limits = readGuard({ maxDeletes: 5, maxCreates: 7 })
    expect(readGuard({ maxDeletes: 10 }, limits)).toEqual({ ...none, deletes: most(10), creates: most(7) })
  })
})

describe('a mapping may delete', () => {
  const policy = (situation: string, action: string | undefined, condition?: object): Policy =>
    ({
      situation,
      action: action === undefined ? { kind: 'script', script: 's' } : { kind: 'action', action },
      condition,
    }) as Policy
  const condition = { kind: 'script', script: 'c' }

  it.each<[string, Policy[], boolean, boolean]>([
    ['never without a rule for sources and with defaults', [], false, false],
    ['where sources can be unqualified', [], true, true],
    ['not where a policy does something else with those', [policy('UNQUALIFIED', 'UNLINK')], true, false],
    ['where that policy is conditional', [policy('UNQUALIFIED', 'UNLINK', condition)], true, true],
    ['where a policy says so', [policy('SOURCE_MISSING', 'DELETE')], false, true],
    ['where a policy says so under a condition', [policy('UNASSIGNED', 'DELETE', condition)], false, true],
    [
      'not where an earlier policy always wins',
      [policy('UNASSIGNED', 'REPORT'), policy('UNASSIGNED', 'DELETE')],
      false,
      false,
    ],
    ['where a script decides', [policy('MISSING', undefined)], false, true],
  ])('%s', (_what, policies, selects, deletes) => {
    const open = { consentRequired: false, validSource: undefined, sourceCondition: undefined }
    expect(mayDelete({ ...open, policies, ...(selects ? { validSource: 'v' } : {}) })).toBe(deletes)
  })

  it('where consent is required, which any source may lack', () => {
    const open = { policies: [], validSource: undefined, sourceCondition: undefined }
    expect(mayDelete({ ...open, consentRequired: true })).toBe(true)
    expect(mayDelete({ ...open, consentRequired: false })).toBe(false)
  })
})
