import { expect, it } from 'vitest'
import { script } from '../../testing/script.ts'
import { performAction } from '../single/perform.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'

/** A run, `reconById` and `performAction` on the same object take turns (engine §7.2, [D]). */
const correlationQuery = script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q")
const mapping = {
  correlationQuery,
  correlateEmptyTargetSet: true,
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name' },
  ],
  policies: [{ situation: 'MISSING', action: 'CREATE' }],
}
const person = (id: string, name: string) => ({ _id: id, mail: `${id}@x`, name })

/** Starts a whole run that waits, with its sets queried and before anything is decided, until it is let go. */
async function waitingRun(world: World) {
  const letGo = Promise.withResolvers<void>()
  const waiting = Promise.withResolvers<void>()
  // The first reading of targets is that of a first object, which others do not touch.
  world.meanwhile(async () => {
    waiting.resolve()
    await letGo.promise
  })
  const run = world.run()
  await waiting.promise
  return async () => {
    letGo.resolve()
    return run
  }
}

/** One object in front that is linked already, so that its target is read; pages of one. */
async function town(): Promise<World> {
  const world = await openWorld({
    mapping: { ...mapping, taskThreads: 1, onCreate: script("openidm.read('managed/user/x')") },
  })
  await world.persons(person('p0', 'Zero'), person('p1', 'One'))
  await world.users({ _id: 'u0', mail: 'p0@x', name: 'Zero' })
  await world.link('p0', 'u0')
  return world
}

it('two reconById of one object come to one target, whichever is first', async () => {
  await using world = await openWorld({
    external: true,
    givesIds: true,
    mapping: { properties: mapping.properties },
  })
  await world.persons(person('p1', 'One'))
  const runs = await Promise.all(
    Array.from({ length: 5 }, () =>
      world.reconciliations.start({ mapping: 'person_user', sourceId: 'p1' }, administrator),
    ),
  )
  await Promise.all(runs.map(({ done }) => done))
  expect(runs.map(({ run }) => run.state)).toEqual(Array(5).fill('SUCCESS'))
  expect(Object.keys(await world.all(target))).toHaveLength(1)
  expect(await world.links()).toHaveLength(1)
})

it('what reconById creates while a run is on its way is not created again, though the run saw no such target', async () => {
  await using world = await town()
  const goOn = await waitingRun(world)
  const { done } = await world.reconciliations.start(
    { mapping: 'person_user', sourceId: 'p1' },
    administrator,
  )
  await done
  const { run, situations } = await goOn()
  expect(run.state).toBe('SUCCESS')
  expect(situations).toEqual(['source p0: CONFIRMED UPDATE', 'source p1: CONFIRMED UPDATE'])
  expect(
    Object.values(await world.all(target))
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['One', 'Zero'])
})

it('a run does not take back what reconById wrote from a newer source', async () => {
  await using world = await town()
  const goOn = await waitingRun(world)
  await world.change(`${source}/p1`, person('p1', 'Newer'))
  const { done } = await world.reconciliations.start(
    { mapping: 'person_user', sourceId: 'p1' },
    administrator,
  )
  await done
  await goOn()
  expect(
    Object.values(await world.all(target))
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['Newer', 'Zero'])
})

it('an object that goes while a run is on its way, and whose deletion is worked, is not made again', async () => {
  await using world = await town()
  const goOn = await waitingRun(world)
  await world.remove(`${source}/p1`)
  const request = { mapping: 'person_user', sourceId: 'p1', overrides: { allowEmptySourceSet: true } }
  const { done } = await world.reconciliations.start(request, administrator)
  await done
  const { situations } = await goOn()
  expect(situations).toEqual(['source p0: CONFIRMED UPDATE'])
  expect(Object.keys(await world.all(target))).toEqual(['u0'])
})

it('performAction waits for the page of a run that has the object', async () => {
  await using world = await town()
  const goOn = await waitingRun(world)
  let performed = false
  const asked = performAction(
    world.singles,
    { mapping: 'person_user', action: 'UNLINK', sourceId: 'p0' },
    administrator,
  ).then(() => {
    performed = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(performed).toBe(false)
  const { situations } = await goOn()
  await asked
  expect(situations[0]).toBe('source p0: CONFIRMED UPDATE')
  expect((await world.links()).filter((link) => link.startsWith('p0'))).toEqual([])
})
