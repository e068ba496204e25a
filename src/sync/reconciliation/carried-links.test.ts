import { describe, expect, it } from 'vitest'
import { openWorld, type WorldOptions } from '../testing/world.ts'

const mapping = {
  properties: [{ source: 'mail', target: 'mail' }],
  correlationQuery: {
    type: 'text/javascript',
    source: "var filter = {_queryFilter: '/note eq \"' + source.note + '\"'}; filter",
  },
}

/** A person whose id has changed at the source: u1, who is found by her number, is linked to the id before. */
async function renamed(options: WorldOptions, ...before: string[]) {
  const world = await openWorld({ ...options, mapping: { ...mapping, ...options.mapping } })
  await world.persons(...['new', ...before].map((_id) => ({ _id, mail: `${_id}@x`, note: '1' })))
  await world.users({ _id: 'u1', mail: 'old@x', note: '1', phone: '7' })
  await world.link('old', 'u1')
  return world
}

const policy = (action: string) => ({ policies: [{ situation: 'FOUND_ALREADY_LINKED', action }] })

describe.each([
  ['inside the repository', {}],
  ['outside', { external: true }],
])('the link of a source that is gone, with a target %s', (_where, where) => {
  it.each([
    ['UPDATE', 'new@x', ['update u1']],
    ['LINK', 'old@x', []],
  ])('is carried over by %s to the source that correlation finds', async (action, mail, writes) => {
    await using world = await renamed({ ...where, mapping: policy(action) })
    const plan = await world.run({ analyze: true })
    expect(plan.entries).toMatchObject([{ action, targetId: 'u1', writes: true, refusal: undefined }])
    expect(await world.links()).toEqual(['old → u1'])

    const { run, situations } = await world.run()
    expect(situations).toEqual(plan.situations)
    expect(run.statistics.status).toEqual({ SUCCESS: 1, FAILURE: 0 })
    expect(world.writes).toEqual(writes)
    expect(await world.links()).toEqual(['new → u1'])
    expect(await world.all('managed/user')).toMatchObject({ u1: { mail, phone: '7' } })

    expect((await world.run()).situations).toEqual(['source new: CONFIRMED UPDATE'])
  })

  it('stays where it is by default, and the message names who has the target', async () => {
    await using world = await renamed(where)
    const [entry] = (await world.run({ analyze: true })).entries
    await world.run()
    expect(entry?.refusal).toMatch(/the target is linked to old, which is gone; UPDATE or LINK would carry/)
    expect(await world.links()).toEqual(['old → u1'])
    expect(world.writes).toEqual([])
  })

  it.each(['UPDATE', 'LINK'])('is not carried over by %s while that source is there', async (action) => {
    await using world = await renamed({ ...where, mapping: policy(action) }, 'old')
    const plan = await world.run({ analyze: true })
    const refusals = (entries: typeof plan.entries) =>
      entries.flatMap(({ sourceId, refusal }) => (refusal ? [`${sourceId}: ${refusal}`] : []))
    expect(refusals(plan.entries)).toEqual(['new: the target is linked to old, which is still there'])
    expect(refusals((await world.run()).entries)).toEqual(refusals(plan.entries))
    expect(await world.links()).toEqual(['old → u1'])
  })
})
