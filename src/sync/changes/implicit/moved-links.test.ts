import { describe, expect, it } from 'vitest'
import { administrator, openWorld, source, target } from '../../testing/world.ts'
import { implicitSync } from './implicit-sync.ts'

/** A source that was given another id (engine §9, [D]). */
describe('a change that brings the id before', () => {
  const mapping = { properties: [{ source: 'name', target: 'name' }] }
  const event = (id: string, previousId: string) => ({
    ...{ action: 'notifyUpdate' as const, container: source, id, previousId },
    ...{ oldValue: null, newValue: { _id: id, name: 'Ann' } },
  })

  it('moves the link of the id before, so that the target is kept', async () => {
    await using world = await openWorld({ mapping })
    await world.users({ _id: 'u', name: 'Old' })
    await world.link('before', 'u')
    const notify = implicitSync({ ...world.singles, mappings: () => [world.mapping] })
    const { results } = await notify(event('after', 'before'), administrator)
    expect(results).toMatchObject([
      { situation: 'CONFIRMED', action: 'UPDATE', result: 'SUCCESSFUL', targetId: 'u' },
    ])
    expect(await world.links()).toEqual(['after → u'])
    expect(Object.keys(await world.all(target))).toEqual(['u'])
  })

  it('leaves it where the new id has a link of its own', async () => {
    await using world = await openWorld({ mapping })
    await world.users({ _id: 'u', name: 'Old' }, { _id: 'v', name: 'Other' })
    await world.link('before', 'u')
    await world.link('after', 'v')
    const notify = implicitSync({ ...world.singles, mappings: () => [world.mapping] })
    await notify(event('after', 'before'), administrator)
    expect(await world.links()).toEqual(['after → v', 'before → u'])
  })
})
