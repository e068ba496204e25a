import { describe, expect, it } from 'vitest'
import { loosens, readGuard } from './guard.ts'
import type { Policy } from './mapping.ts'
import { mayDelete, mayDisable, mayUnlink } from './may-delete.ts'

const thirty = { kind: 'share', percent: 30 }
const others = {
  attributes: {},
  disabling: { accountStatus: ['inactive'], __ENABLE__: [false], active: [false] },
  window: 3_600_000,
}
const without = {
  deletes: undefined,
  disables: undefined,
  unlinks: undefined,
  updates: undefined,
  creates: undefined,
  ...others,
}
/** Without those of deletes, updates and creates. */
const none = { ...without, disables: thirty, unlinks: thirty }
const most = (count: number) => ({ kind: 'count', most: count })

describe('the guard of a mapping', () => {
  it.each([
    [
      'nothing: 30% of the linked targets may be deleted, disabled or unlinked',
      undefined,
      { ...none, deletes: thirty },
    ],
    ['null', null, { ...none, deletes: thirty }],
    ['false: no limits', false, without],
    ['a number', { maxDeletes: 5 }, { ...none, deletes: most(5) }],
    ['zero', { maxDeletes: 0 }, { ...none, deletes: most(0) }],
    ['a number as a property gives it', { maxDeletes: '5' }, { ...none, deletes: most(5) }],
    [
      'percentages',
      { maxDeletes: '2.5%', maxUpdates: '50 %' },
      { ...none, deletes: { kind: 'share', percent: 2.5 }, updates: { kind: 'share', percent: 50 } },
    ],
    ['null for one: that limit is gone', { maxDeletes: null, maxCreates: 7 }, { ...none, creates: most(7) }],
    [
      'limits of what disables and unlinks',
      { maxDisables: 3, maxUnlinks: null },
      { ...without, deletes: thirty, disables: most(3) },
    ],
    [
      'limits of attributes',
      { attributes: { sn: '5%', '/name/familyName': 2, mail: null } },
      {
        ...none,
        deletes: thirty,
        attributes: { sn: { kind: 'share', percent: 5 }, 'name/familyName': most(2) },
      },
    ],
    [
      'what disables',
      { disabling: { '/status': 'L', locked: [true, 'yes'] } },
      { ...none, deletes: thirty, disabling: { status: ['L'], locked: [true, 'yes'] } },
    ],
    ['a window of changes', { window: '1d 12h' }, { ...none, deletes: thirty, window: 129_600_000 }],
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
    [{ maxDelets: 5 }, 'guard/maxDelets is not known; did you mean maxDeletes?'],
    [{ attributes: { sn: 'few' } }, 'guard/attributes/sn'],
    [{ attributes: ['sn'] }, 'guard/attributes'],
    [{ disabling: 'accountStatus' }, 'guard/disabling'],
    [{ window: 60 }, 'guard/window'],
    [{ window: 'soon' }, 'guard/window'],
  ])('cannot be %o', (configured, message) => {
    expect(() => readGuard(configured)).toThrow(message)
  })

  it('is overridden for one run limit by limit', () => {
    const limits = readGuard({ maxDeletes: 5, maxCreates: 7 })
    expect(readGuard({ maxDeletes: 10 }, limits)).toEqual({ ...none, deletes: most(10), creates: most(7) })
  })
})

describe('an override loosens', () => {
  it.each<[what: string, before: unknown, after: unknown, loosened: boolean]>([
    ['with all limits gone', undefined, false, true],
    ['with one gone', { maxUpdates: 5 }, { maxUpdates: null }, true],
    ['with a greater number', { maxDeletes: 5 }, { maxDeletes: 6 }, true],
    ['with a greater percentage', undefined, { maxDeletes: '31%' }, true],
    ['with a number for a percentage', undefined, { maxDeletes: 5 }, true],
    ['with fewer values that disable', undefined, { disabling: { other: 1 } }, true],
    ['without a limit of an attribute', { attributes: { sn: 1 } }, { attributes: { sn: null } }, true],
    ['not with less', { maxDeletes: 5 }, { maxDeletes: 4 }, false],
    ['not with one limit more', undefined, { maxCreates: 4, attributes: { sn: 1 } }, false],
    ['not with the same', { maxDeletes: '5%' }, { maxDeletes: '5%' }, false],
    ['not where there is none', false, false, false],
  ])('%s', (_what, before, after, loosened) => {
    const limits = readGuard(before as never)
    expect(loosens(limits, readGuard(after as never, limits))).toBe(loosened)
  })
})

describe('a mapping may disable', () => {
  const writing = (...target: string[]) => ({ properties: [{ target } as never] })
  it('where a property writes what disables', () => {
    expect(mayDisable(writing('accountStatus'), readGuard(undefined))).toBe(true)
    expect(mayDisable(writing('a', 'b'), readGuard({ disabling: { 'a/b': 1 } }))).toBe(true)
    expect(mayDisable(writing('mail'), readGuard(undefined))).toBe(false)
  })
})

describe('a mapping may unlink', () => {
  const open = { consentRequired: false, validSource: undefined, sourceCondition: undefined }
  it.each([
    ['UNLINK', true],
    ['DELETE', false],
  ] as const)('where a policy says so: %s', (action, unlinks) => {
    const policies: Policy[] = [
      {
        situation: 'MISSING',
        action: { kind: 'action', action },
        condition: undefined,
        postAction: undefined,
      },
    ]
    expect(mayUnlink({ ...open, policies })).toBe(unlinks)
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
