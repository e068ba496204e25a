import { describe, expect, it } from 'vitest'
import { openWorld, type World } from '../../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }

/** A run that creates a target for p1, to which another writer gives a link as soon as it is there. */
async function overtaken(otherLink: (created: string) => [source: string, target: string]) {
  let world: World | undefined
  const opened = await openWorld({
    external: true,
    mapping: { properties },
    onWrite: () => {
      const [id] = (world?.writes ?? []).map((write) => write.replace('create ', ''))
      if (id !== undefined) void world?.link(...otherLink(id))
    },
  })
  await opened.persons(ann)
  world = opened
  return opened
}

describe('a new target that another writer links first', () => {
  it('is as it should be if the link is the one that was wanted', async () => {
    await using world = await overtaken((created) => ['p1', created])
    const { run } = await world.run()
    expect(run.toJSON()).toMatchObject({
      statusSummary: { SUCCESS: 1, FAILURE: 0 },
      progress: { links: { created: 0 }, target: { created: 1 } },
    })
    expect(await world.links()).toHaveLength(1)
  })

  it('is reported with its id if the source is linked to another one by now', async () => {
    await using world = await overtaken(() => ['p1', 'another'])
    const { run } = await world.run()
    const [failed] = (await world.audit(run.id)).filter(({ status }) => status === 'FAILURE')
    expect(failed?.message).toMatch(
      /the link could not be stored: .*; target \S+ was created and stays without/,
    )
  })
})
