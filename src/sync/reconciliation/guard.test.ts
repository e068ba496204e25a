import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { openWorld, source, target, type World } from '../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const deleting = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]

/** `linked` people with their users; then the first `gone` of them leave. */
async function leaving(linked: number, gone: number, mapping: JsonObject = {}): Promise<World> {
  const world = await openWorld({ mapping: { properties, policies: deleting, ...mapping } })
  const ids = Array.from({ length: linked }, (_, index) => `${index}`)
  await world.persons(...ids.map((id) => ({ _id: `p${id}`, mail: `${id}@x` })))
  await world.run({ overrides: { guard: false, reason: 'set up' } })
  for (const id of ids.slice(0, gone)) await world.remove(`${source}/p${id}`)
  return world
}

const states = async (world: World, overrides: JsonObject = {}) => {
  const { run } = await world.run({ overrides })
  return [run.state, run.problem?.code, run.statistics.written.deleted]
}

describe('what the target refuses', () => {
  const short = { type: 'string', policies: [{ policyId: 'maximum-length', params: { maxLength: 3 } }] }
  const types = [
    { name: 'person', schema: {} },
    { name: 'user', schema: { properties: { mail: short } } },
  ]

  it.each([
    ['in one page', 500],
    ['in pages of two', 2],
  ])('counts for nothing: %s', async (_how, size) => {
    await using world = await openWorld({
      types,
      mapping: {
        properties,
        guard: { maxCreates: 2 },
        reconSourceQueryPaging: true,
        reconSourceQueryPageSize: size,
      },
    })
    await world.persons(
      ...['far too long', 'long, too', 'no', 'long as well', 'ok'].map((mail, n) => ({ _id: `p${n}`, mail })),
    )
    const { run } = await world.run()
    expect([run.state, run.statistics.written.created, run.statistics.status.FAILURE]).toEqual([
      'SUCCESS',
      2,
      3,
    ])
    await world.persons({ _id: 'p6', mail: 'one' }, { _id: 'p7', mail: 'two' }, { _id: 'p8', mail: 'six' })
    expect((await world.run()).run.problem?.code).toBe('GUARD')
  })
})

describe('a run that would delete too much', () => {
  it('ends before it has written anything, says how much and whom, and how to allow it', async () => {
    await using world = await leaving(120, 60)
    const { run, entries } = await world.run()
    expect([run.state, run.problem?.code]).toEqual(['FAILED', 'GUARD'])
    expect(run.problem?.message).toMatch(
      /^person_user: nothing was written: 60 deletes for 120 linked targets; at most 36 \(30%\) are allowed\. Among them: \S+, /,
    )
    expect(run.problem?.hint).toContain('--guard off')
    expect([world.writes, entries]).toEqual([[], []])
    expect(Object.keys(await world.all(target))).toHaveLength(120)
    const audited = await world.audit(run.id)
    expect(audited.map(({ entryType, status }) => [entryType, status])).toEqual([
      ['start', 'SUCCESS'],
      ['summary', 'FAILURE'],
    ])
  })

  it.each<[string, JsonObject]>([
    ['without a guard', { guard: false }],
    ['by the text that a parameter is', { guard: 'off' }],
    ['as a release', { overrideGuard: true }],
    ['as a release in a parameter', { overrideGuard: 'true' }],
    ['with a limit that suffices', { guard: { maxDeletes: 60 } }],
    ['with a percentage that suffices', { guard: { maxDeletes: '50%' } }],
  ])('does so where the caller allows it for this run: %s', async (_how, overrides) => {
    await using world = await leaving(120, 60)
    for (const reason of [undefined, '', '  ', 7])
      await expect(
        world.run({ overrides: { ...overrides, ...(reason === undefined ? {} : { reason }) } }),
      ).rejects.toThrow('to allow more than the guard does needs a reason')
    const { run } = await world.run({ overrides: { ...overrides, reason: 'the branch in Rome closed' } })
    expect([run.state, run.statistics.written.deleted]).toEqual(['SUCCESS', 60])
    expect(run.toJSON().parameters).toMatchObject({
      overrideGuard: true,
      reason: 'the branch in Rome closed',
    })
    const [start] = await world.audit(run.id)
    expect(start?.message).toMatch(/; the guard is overridden: the branch in Rome closed$/)
  })

  it('may be held tighter for one run without a reason', async () => {
    await using world = await leaving(120, 30)
    expect(await states(world, { guard: { maxDeletes: '5%' } })).toEqual(['FAILED', 'GUARD', 0])
  })

  it.each([
    [{ sourceQeury: { _queryFilter: 'mail pr' } }, 'sourceQuery'],
    [{ runTargetPhse: false }, 'runTargetPhase'],
    [{ gaurd: { maxDeletes: 1 } }, 'guard'],
  ])('is refused a misspelt restriction: %o', async (overrides, meant) => {
    await using world = await leaving(1, 0)
    await expect(world.run({ overrides })).rejects.toThrow(`did you mean ${meant}?`)
  })

  it('is refused a wrong limit', async () => {
    await using world = await leaving(1, 0)
    await expect(world.run({ overrides: { guard: { maxDeletes: 'some' } } })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('guard/maxDeletes'),
    })
  })
})

describe('the guard', () => {
  it.each<[string, number, number, JsonObject, unknown[]]>([
    ['lets through what is allowed', 120, 36, {}, ['SUCCESS', undefined, 36]],
    [
      'does not count a percentage of a hundred',
      100,
      100,
      { allowEmptySourceSet: true },
      ['SUCCESS', undefined, 100],
    ],
    ['counts a number of any set', 5, 2, { guard: { maxDeletes: 1 } }, ['FAILED', 'GUARD', 0]],
    [
      'counts sources that no longer qualify',
      120,
      0,
      { sourceCondition: '/source/mail sw "1"' },
      ['FAILED', 'GUARD', 0],
    ],
  ])('%s', async (_what, linked, gone, mapping, outcome) => {
    const { sourceCondition, ...settings } = mapping
    await using world = await leaving(linked, gone, settings)
    if (sourceCondition === undefined) return expect(await states(world)).toEqual(outcome)
    await using strict = await openWorld({ mapping: { properties, sourceCondition } })
    await strict.persons(...Object.values(await world.all(source)))
    await strict.users(...Object.values(await world.all(target)))
    for (const link of await world.links()) await strict.link(...(link.split(' → ') as [string, string]))
    expect(await states(strict)).toEqual(outcome)
  })

  it.each<[string, JsonObject, string]>([
    ['updates', { maxUpdates: 2 }, '3 updates'],
    ['creates', { maxCreates: 1 }, '2 creates'],
  ])('limits %s where the mapping says so', async (_what, guard, says) => {
    await using world = await openWorld({ mapping: { properties, guard } })
    await world.persons(...['a', 'b', 'c', 'd', 'e'].map((id) => ({ _id: id, mail: `${id}@x` })))
    await world.users(...['a', 'b', 'c'].map((id) => ({ _id: `u${id}`, mail: 'old@x' })))
    for (const id of ['a', 'b', 'c']) await world.link(id, `u${id}`)
    expect((await world.run()).run.problem?.message).toContain(says)
    expect(world.writes).toEqual([])
  })

  it.each<[string, JsonObject, string]>([
    [
      'updates that disable, without any configuration',
      { properties: [{ source: 'status', target: 'accountStatus' }] },
      '60 disables for 120 linked targets; at most 36 (30%) are allowed',
    ],
    [
      'those that disable as the mapping says',
      {
        properties: [{ source: 'status', target: 'state' }],
        guard: { disabling: { state: 'inactive' }, maxDisables: 59 },
      },
      '60 disables for 120 linked targets; at most 59 are allowed',
    ],
    [
      'changes of an attribute',
      { properties: [{ source: 'status', target: 'sn' }], guard: { attributes: { sn: '5%' } } },
      '60 updates of sn for 120 linked targets; at most 6 (5%) are allowed',
    ],
  ])('limits %s', async (_what, mapping, says) => {
    await using world = await leaving(120, 0, mapping)
    for (let id = 0; id < 60; id++)
      await world.change(`${source}/p${id}`, { mail: `${id}@x`, status: 'inactive' })
    const { run } = await world.run()
    expect([run.state, run.problem?.message]).toEqual(['FAILED', expect.stringContaining(says)])
    expect(world.writes).toEqual([])
  })

  it('limits unlinking, without any configuration', async () => {
    const policies = [{ situation: 'SOURCE_MISSING', action: 'UNLINK' }]
    await using world = await leaving(120, 60, { policies })
    const { run } = await world.run()
    expect(run.problem?.message).toContain('60 unlinks for 120 linked targets; at most 36 (30%)')
    expect(await world.links()).toHaveLength(120)
  })

  it('stops what only a hook does at the limit, when it is about to be written', async () => {
    const onUpdate = script("target.accountStatus = 'inactive'")
    await using world = await leaving(120, 0, { onUpdate, policies: [] })
    const { run } = await world.run()
    expect(run.problem?.message).toMatch(/stopped before what it allows was exceeded: \d+ disables for 120/)
    const users = Object.values(await world.all(target))
    expect(users.filter(({ accountStatus }) => accountStatus === 'inactive').length).toBeLessThanOrEqual(36)
  })

  it('does not run hooks or scripts that write', async () => {
    const note = script("openidm.create('managed/person', null, { note: 'hook' })")
    await using world = await leaving(120, 60, { onDelete: note, onUnlink: note })
    expect(await states(world)).toEqual(['FAILED', 'GUARD', 0])
    expect(Object.keys(await world.all(source))).toHaveLength(60)
  })

  it('leaves a dry run alone: that is how one sees what the guard stopped', async () => {
    await using world = await leaving(120, 60)
    const { run } = await world.run({ analyze: true })
    expect([run.state, run.statistics.situationSummary.SOURCE_MISSING]).toEqual(['SUCCESS', 60])
  })
})
