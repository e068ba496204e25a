import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../testing/runs.ts'
import { openWorld, type World, type WorldOptions } from '../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const person = (_id: string) => ({ _id, mail: `${_id}@x` })

const failures = ({ entries }: Awaited<ReturnType<World['run']>>) =>
  entries.flatMap(({ sourceId, refusal }) => (refusal ? [`${sourceId}: ${refusal}`] : []))

describe.each<[string, WorldOptions]>([
  ['inside the repository', {}],
  ['outside', { external: true }],
])('with a target %s, ids that differ in letter case only', (_where, where) => {
  it.each([
    ['in one page', 500],
    ['in two pages', 1],
  ])('are one source to links that ignore case: %s, the second fails and names both', async (_what, size) => {
    const mapping = {
      properties,
      sourceIdsCaseSensitive: false,
      reconSourceQueryPaging: true,
      reconSourceQueryPageSize: size,
    }
    await using world = await openWorld({ ...where, mapping })
    await world.persons(person('ABaker'), person('abaker'), person('other'))
    const expected = [
      expect.stringMatching(/^\S+: managed\/person has "ABaker" and "abaker", which are one id/),
    ]
    const plan = await world.run({ analyze: true })
    expect(failures(plan)).toEqual(expected)
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(await world.links()).toHaveLength(2)
    expect(Object.keys(await world.all('managed/user'))).toHaveLength(2)
    expect(failures(await world.run())).toEqual(failures(plan))
    expect(world.writes).toEqual([])
  })

  it('keep their link when one is written as another', async () => {
    await using world = await openWorld({ ...where, mapping: { properties, sourceIdsCaseSensitive: false } })
    await world.persons(person('ABaker'))
    await world.run()
    const links = await world.links()
    await world.remove('managed/person/ABaker')
    await world.persons(person('abaker'))
    expect((await world.run({ analyze: true })).situations).toEqual(['source abaker: CONFIRMED UPDATE'])
    const { situations } = await world.run()
    expect(situations).toEqual(['source abaker: CONFIRMED UPDATE'])
    expect(await world.links()).toEqual(links)
  })

  it('are one target to links that ignore case: the second source fails before anything is written', async () => {
    const mapping = {
      properties: [...properties, { source: '_id', target: '_id' }],
      targetIdsCaseSensitive: false,
    }
    await using world = await openWorld({ ...where, mapping })
    await world.persons(person('ABaker'), person('abaker'))
    const expected = [expect.stringMatching(/already has an object "\S+", which is linked to \w+$/)]
    const plan = await world.run({ analyze: true })
    expect(failures(plan)).toEqual(expected)
    expect(failures(await world.run())).toEqual(failures(plan))
    expect(await world.links()).toHaveLength(1)
    expect(Object.keys(await world.all('managed/user'))).toHaveLength(1)
  })
})

it('of sources that differ in letter case one has a target, however the others are spelled and in whatever order', async () => {
  const spelled = fc.mixedCase(fc.constantFrom('ann', 'bob'))
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(spelled, { maxLength: 6 }), async (ids) => {
      await using world = await openWorld({ mapping: { properties, sourceIdsCaseSensitive: false } })
      await world.persons(...ids.map(person))
      const plan = failures(await world.run({ analyze: true }))
      const first = failures(await world.run())
      const people = new Set(ids.map((id) => id.toLowerCase())).size
      expect(first).toHaveLength(ids.length - people)
      expect(first).toEqual(plan)
      expect(Object.keys(await world.all('managed/user'))).toHaveLength(people)
      expect(await world.links()).toHaveLength(people)
      expect(failures(await world.run())).toEqual(plan)
    }),
    runs(12),
  )
})
