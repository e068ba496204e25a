import { describe, expect, it } from 'vitest'
import type { PlanLine } from '../../plan/plan-line.ts'
import { script } from '../../testing/script.ts'
import { startPlan } from '../plans/make-plan.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }

/**
 *     p1 ── u1        both there
 *     p1    u9 gone   the target is gone:  MISSING
 *     p7 gone   u2    the source is gone:  SOURCE_MISSING
 *     p8 gone   u8 gone, p9 gone  u9 gone: no phase finds these
 */
async function arrange(world: World) {
  await world.persons(ann)
  await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' }, { _id: 'u2', mail: 'b@x', name: 'Bob' })
  await world.link('p1', 'u1')
  await world.link('p7', 'u2')
  await world.link('p8', 'u8')
  await world.link('p9', 'u9', 'a qualifier of old')
}
const kept = ['p1 → u1', 'p7 → u2']
const orphans = ['p8 → u8', 'p9 → u9 [a qualifier of old]']

describe('link clean-up', () => {
  it('deletes the links whose two ends are gone, without onUnlink, counts and records them', async () => {
    await using world = await openWorld({
      mapping: { properties, cleanUpLinks: true, onUnlink: script("throw 'never'") },
    })
    await arrange(world)
    const { run, situations } = await world.run()
    expect(await world.links()).toEqual(kept)
    expect(situations.slice(-2)).toEqual(['source p8: LINK_ONLY UNLINK', 'source p9: LINK_ONLY UNLINK'])
    expect(run.toJSON()).toMatchObject({
      state: 'SUCCESS',
      progress: { links: { cleanedUp: 2 }, source: { existing: { processed: 1, total: '1' } } },
    })
    expect(await world.audit(run.id)).toContainEqual(
      expect.objectContaining({
        action: 'UNLINK',
        sourceObjectId: `${source}/p8`,
        targetObjectId: `${target}/u8`,
        status: 'SUCCESS',
      }),
    )
    expect((await world.run()).run.statistics.written.cleanedUp).toBe(0)
  })

  it('is off unless asked for', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await arrange(world)
    await world.run()
    expect(await world.links()).toEqual([...kept, ...orphans])
    await world.run({ overrides: { cleanUpLinks: 'true' } })
    expect(await world.links()).toEqual(kept)
  })

  it('is only foreseen in a dry run', async () => {
    await using world = await openWorld({ mapping: { properties, cleanUpLinks: true } })
    await arrange(world)
    const { entries } = await world.run({ analyze: true })
    expect(entries.filter(({ action }) => action === 'UNLINK')).toMatchObject([
      { sourceId: 'p8', targetId: 'u8', writes: true },
      { sourceId: 'p9', targetId: 'u9', writes: true },
    ])
    expect(await world.links()).toEqual([...kept, ...orphans])
  })

  it('is shown by a plan, but kept in none: performing a plan cleans nothing up', async () => {
    await using world = await openWorld({ mapping: { properties, cleanUpLinks: true } })
    await arrange(world)
    const [kept, shown]: string[][] = [[], []]
    const sink = { add: ({ sourceId }: PlanLine) => void kept?.push(String(sourceId)), async flush() {} }
    const plan = await startPlan(
      world.reconciliations,
      { mapping: 'person_user' },
      administrator,
      () => sink,
      {
        onLine: ({ sourceId }) => shown?.push(String(sourceId)),
      },
    )
    await plan.header
    expect(shown).toEqual(expect.arrayContaining(['p8', 'p9']))
    expect(kept).not.toEqual(expect.arrayContaining(['p8']))
  })

  it.each([
    ['a source query', { sourceQuery: { _queryFilter: 'name eq "Ann"' } }],
    ['a target query', { targetQuery: { _queryFilter: 'name eq "Ann"' } }],
    ['no target phase', { runTargetPhase: false }],
  ])(
    'leaves everything alone in a run with %s, and refuses to be asked for there',
    async (_what, restricted) => {
      await using world = await openWorld({ mapping: { properties, cleanUpLinks: true, ...restricted } })
      await arrange(world)
      await world.run()
      expect(await world.links()).toEqual([...kept, ...orphans])
      await expect(world.run({ overrides: { cleanUpLinks: true } })).rejects.toThrow(
        'cleanUpLinks is not possible',
      )
    },
  )

  it('does not take an end for gone that is spelt in another case', async () => {
    const insensitive = { sourceIdsCaseSensitive: false, targetIdsCaseSensitive: false }
    await using world = await openWorld({ mapping: { properties, cleanUpLinks: true, ...insensitive } })
    await world.persons(ann)
    await world.users({ _id: 'U5', mail: 'e@x', name: 'Eve' })
    await world.link('p5', 'u5')
    await world.run()
    expect(await world.links()).toContain('p5 → u5')
  })
})
