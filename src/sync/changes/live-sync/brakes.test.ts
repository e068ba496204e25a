import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { SetChange } from '../../../router/resources.ts'
import type { SyncServices } from '../../services.ts'
import { administrator, openWorld, source, type World } from '../../testing/world.ts'
import { type Delta, judge } from './brakes.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]

/** `linked` people with their users. */
async function people(linked: number, mapping: JsonObject = {}): Promise<World> {
  const world = await openWorld({ mapping: { properties, policies, ...mapping } })
  const ids = Array.from({ length: linked }, (_, index) => String(index))
  await world.persons(...ids.map((id) => ({ _id: `p${id}`, mail: `${id}@x` })))
  await world.users(...ids.map((id) => ({ _id: `u${id}`, mail: `${id}@x` })))
  for (const id of ids) await world.link(`p${id}`, `u${id}`)
  return world
}

const gone = (count: number, from = 0): Delta[] =>
  Array.from({ length: count }, (_, index) => ({ kind: 'DELETE', id: `p${from + index}`, token: null }))
const changed = (kind: 'CREATE' | 'UPDATE', count: number, mail: string): Delta[] =>
  Array.from({ length: count }, (_, index) => {
    const id = kind === 'CREATE' ? `new${index}` : `p${index}`
    return { kind, id, object: { _id: id, mail: `${mail}${index}` }, token: null }
  })

async function* delta(changes: readonly Delta[]): AsyncGenerator<SetChange> {
  yield* changes
  yield { kind: 'END', token: 1 }
}

interface Call {
  readonly overrides?: JsonObject
  readonly options?: Partial<SyncServices>
}

const judged = ({ singles, mapping }: World, changes: readonly Delta[], { overrides, options }: Call = {}) =>
  judge(
    { ...singles, mappings: () => [mapping], ...options },
    { source, overrides: overrides ?? {} },
    () => delta(changes),
    administrator,
  )

const outcome = async (world: World, changes: readonly Delta[], call: Call = {}) =>
  judged(world, changes, call).then(
    () => 'synchronized',
    (error: Problem) => `${error.code}: ${error.message.split(': ').slice(2).join(': ')}`,
  )

describe('changes of one liveSync', () => {
  it.each<[what: string, linked: number, mapping: JsonObject, changes: Delta[], comesTo: string | RegExp]>([
    ['a third is gone', 120, {}, gone(36), 'synchronized'],
    ['half is gone', 120, {}, gone(60), /^GUARD: 60 deletes for 120 linked targets; at most 36 \(30%\) are/],
    ['half is gone, without a guard', 120, { guard: false }, gone(60), 'synchronized'],
    ['a percentage of few', 100, {}, gone(99), 'synchronized'],
    ['a number of any set', 5, { guard: { maxDeletes: 1 } }, gone(2), /^GUARD: 2 deletes for 5 .*u0, u1$/],
    ['those that were never linked', 5, { guard: { maxDeletes: 1 } }, gone(9, 4), 'synchronized'],
    [
      'those that do not qualify any more',
      5,
      { guard: { maxDeletes: 1 }, sourceCondition: '/source/mail sw "stay"' },
      changed('UPDATE', 2, 'leave'),
      /^GUARD: 2 deletes/,
    ],
    ['updates', 5, { guard: { maxUpdates: 2 } }, changed('UPDATE', 3, 'x'), /^GUARD: 3 updates/],
    ['creates', 5, { guard: { maxCreates: 1 } }, changed('CREATE', 2, 'x'), /^GUARD: 2 creates/],
    ['creates without a limit', 5, {}, changed('CREATE', 200, 'x'), 'synchronized'],
    [
      'more than a page',
      5,
      { guard: { maxCreates: 600 } },
      changed('CREATE', 601, 'x'),
      /^GUARD: 601 creates/,
    ],
    [
      'a mapping that takes no part',
      5,
      { guard: { maxDeletes: 1 }, enableSync: false },
      gone(5),
      'synchronized',
    ],
  ])('%s', async (_what, linked, mapping, changes, comesTo) => {
    await using world = await people(linked, mapping)
    expect(await outcome(world, changes)).toMatch(comesTo)
    expect(world.writes).toEqual([])
    expect(await world.links()).toHaveLength(linked)
  })

  it.each<[string, JsonObject, JsonObject, RegExp | string]>([
    ['refused', {}, {}, /^EMPTY_SOURCE: managed\/person holds nothing any more.*: 5$/],
    ['refused though the guard allows them', { guard: { maxDeletes: 5 } }, {}, /^EMPTY_SOURCE/],
    ['synchronized where the mapping allows it', { allowEmptySourceSet: true }, {}, 'synchronized'],
    [
      'synchronized where the call allows it, and says why',
      {},
      { allowEmptySourceSet: 'true', reason: 'all have left' },
      'synchronized',
    ],
    [
      'refused where the call allows it without saying why',
      {},
      { allowEmptySourceSet: true },
      /^BAD_REQUEST/,
    ],
    [
      'refused where the call does not',
      { allowEmptySourceSet: true },
      { allowEmptySourceSet: false },
      /^EMPTY/,
    ],
    [
      'guarded all the same',
      { guard: { maxDeletes: 1 } },
      { allowEmptySourceSet: true, reason: 'all have left' },
      /^GUARD: 5 deletes/,
    ],
    [
      'synchronized without any limit',
      { guard: { maxDeletes: 1 } },
      { allowEmptySourceSet: true, guard: 'off', reason: 'the branch closed' },
      'synchronized',
    ],
  ])('that leave nothing are %s', async (_what, mapping, overrides, comesTo) => {
    await using world = await people(5, mapping)
    for (let id = 0; id < 5; id++) await world.remove(`${source}/p${id}`)
    expect(await outcome(world, gone(5), { overrides })).toMatch(comesTo)
  })

  it('that come to an empty source without a deletion are synchronized', async () => {
    await using world = await people(0)
    expect(await outcome(world, [])).toBe('synchronized')
  })

  it('are not read where nothing could stop them', async () => {
    await using world = await people(5, { guard: false, allowEmptySourceSet: true })
    expect(await judged(world, gone(5))).toBeUndefined()
  })

  it('are known again by what they are; others are not', async () => {
    await using world = await people(5)
    const [first, second, third] = gone(3) as [Delta, Delta, Delta]
    const [update] = changed('UPDATE', 1, 'x') as [Delta]
    const found = await judged(world, [first, second, update])
    const seen = [{ ...first, token: 7 }, third, { ...update, token: 7 }, ...changed('UPDATE', 1, 'y')]
    expect(seen.map((change) => found?.has(change))).toEqual([true, false, true, false])
  })

  it('count as what they say they are, where that cannot be decided', async () => {
    await using world = await people(5, { guard: { maxDeletes: 1 } })
    const rulesOf = () => Promise.reject(new Problem('UNAVAILABLE', 'the target does not answer'))
    expect(await outcome(world, gone(1), { options: { rulesOf } })).toBe('synchronized')
    expect(await outcome(world, gone(2), { options: { rulesOf } })).toMatch(/^GUARD: 2 deletes/)
    expect(world.logged.join()).toContain('the target does not answer')
  })

  it('are refused with a wrong limit', async () => {
    await using world = await people(1)
    const wrong = judged(world, gone(1), { overrides: { guard: { maxDeletes: 'some' } } })
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})
