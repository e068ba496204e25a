import { expect, it } from 'vitest'
import type { Resources, SetChange, SetChanges } from '../../../router/resources.ts'
import { administrator, openWorld, source, target } from '../../testing/world.ts'
import { implicitSync } from '../implicit/implicit-sync.ts'
import { failureHandler } from './failure-handler.ts'
import { liveSync } from './live-sync.ts'
import { readStage } from './state.ts'

const created = (id: string, token: string): SetChange => ({
  kind: 'CREATE',
  id,
  object: { _id: id, mail: `${id}@x` },
  token,
})

/** A system whose changes are others each time they are asked for. */
function answering(
  ...answers: readonly (readonly SetChange[])[]
): SetChanges & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    latestToken: async () => 'now',
    async *since(token) {
      const answer = answers[asked.length] ?? []
      asked.push(token)
      yield* answer
    },
  }
}

it('synchronizes nothing that has come since it looked: that waits for the next liveSync', async () => {
  await using world = await openWorld({
    mapping: { properties: [{ source: 'mail', target: 'mail' }], guard: { maxCreates: 1 } },
  })
  const later = created('p2', 't2')
  const changes = answering(
    [created('p1', 't1')],
    [created('p1', 't1'), later, { kind: 'END', token: 'end' }],
    [later],
    [later, { kind: 'END', token: 'end' }],
  )
  const resources: Resources = {
    ...world.resources,
    objectSet: (path) => ({ ...world.resources.objectSet(path), ...(path === source && { changes }) }),
  }
  const single = { ...world.singles, resources: () => resources, mappings: () => [world.mapping] }
  const options = {
    ...single,
    notify: implicitSync(single),
    handlerOf: () => failureHandler(undefined),
    runScript: async () => [],
  }
  const call = () => liveSync(options, { source, fromBeginning: true }, administrator)
  const mails = async () => Object.values(await world.all(target)).map(({ mail }) => mail)

  await call()
  expect(await mails()).toEqual(['p1@x'])
  expect(await readStage(world.repository, source)).toMatchObject({ token: 't1' })
  expect(world.logged.join()).toContain('from p2 on')
  await call()
  expect((await mails()).toSorted()).toEqual(['p1@x', 'p2@x'])
  expect(await readStage(world.repository, source)).toMatchObject({ token: 'end' })
  expect(changes.asked).toEqual([null, null, 't1', 't1'])
})
