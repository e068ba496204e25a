import { describe, expect, it } from 'vitest'
import { administrator, openWorld, source, target } from '../testing/world.ts'
import { linkedResources, linkedViewProvider } from './linked-resources.ts'

const ids = ['a/b', 'a%2Fb', '100%', 'a+b', 'josé', 'a b?#c', '..']

describe('what an object is linked to', () => {
  it('has paths that lead to it, whatever is in the ids', async () => {
    await using world = await openWorld({ mapping: { properties: [{ source: 'name', target: 'name' }] } })
    for (const id of ids) {
      await world.persons({ _id: id, name: `person ${id}` })
      await world.users({ _id: id, name: `user ${id}` })
      await world.link(id, id)
    }
    const view = linkedViewProvider(world.singles)
    for (const id of ids) {
      const path = `${source}/${encodeURIComponent(id)}`
      const linked = { linkedTo: [{ content: { _id: id, name: `user ${id}` } }] }
      const found = await view.read?.(path, administrator)
      expect(found).toMatchObject({ _id: id, name: `person ${id}`, ...linked })
      const [{ resourceName } = {}] = await linkedResources(world.singles, path, administrator)
      expect(await world.resources.read(String(resourceName), administrator)).toMatchObject({
        name: `user ${id}`,
      })
      expect(resourceName).toMatch(new RegExp(`^${target}/[^/]+$`))
    }
  })

  it('is found for an id with a % that begins no escape, as scripts join it', async () => {
    await using world = await openWorld({ mapping: { properties: [{ source: 'name', target: 'name' }] } })
    await world.persons({ _id: '100%', name: 'Ann' })
    await world.users({ _id: 'u', name: 'Ann' })
    await world.link('100%', 'u')
    expect(await linkedResources(world.singles, `${source}/100%`, administrator)).toMatchObject([
      { resourceName: `${target}/u` },
    ])
  })

  it.each(['', 'managed', 'managed//x'])('is not asked for %j', async (path) => {
    await using world = await openWorld()
    await expect(linkedResources(world.singles, path, administrator)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })
})
