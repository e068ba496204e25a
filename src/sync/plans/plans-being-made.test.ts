import { describe, expect, it } from 'vitest'
import { administrator, openWorld } from '../testing/world.ts'
import { PlansBeingMade } from './plans-being-made.ts'

describe('the plan of a run', () => {
  it('that could not be made is not found, and the reason is told', async () => {
    await using world = await openWorld({ mapping: {} })
    const making = new PlansBeingMade()
    const { run, done } = await world.reconciliations.start(
      { mapping: world.mapping.name, analyze: true },
      administrator,
    )
    await done
    const made = Promise.withResolvers<undefined>()
    making.follow({ run, done: made.promise })
    const stored = () => making.stored(world.repository.runs, run.id)
    await expect(stored()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('is being made'),
    })
    made.reject(new Error('no space is left on the device'))
    await expect
      .poll(() => stored().catch(({ message }) => message))
      .toBe(`The plan of run ${run.id} could not be made: no space is left on the device`)
  })
})
