import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { openWorld, target } from '../testing/world.ts'
import { recover } from './recover.ts'

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }
const bob = { _id: 'p2', mail: 'bob@x', name: 'Bob' }

/** A target outside whose next page of writes takes effect and is not answered, once the line is dead. */
async function silentWorld(options: { readonly givesIds?: boolean; readonly mapping?: JsonObject } = {}) {
  const line = { dead: false }
  const world = await openWorld({
    mapping: { properties, ...options.mapping },
    external: true,
    givesIds: options.givesIds ?? false,
    onWrite() {
      if (line.dead) {
        line.dead = false
        throw new Problem('UNAVAILABLE', 'the line is dead')
      }
    },
  })
  const broken = (request: Parameters<typeof world.run>[0] = {}) => {
    line.dead = true
    return world.run(request)
  }
  return Object.assign(world, { broken })
}

describe('after a target took effect without answering', () => {
  it.each([
    ['which takes the ids we choose', { givesIds: false }],
    ['which gives ids itself', { givesIds: true }],
  ])(
    '%s, the next run finds what was created, links it and records it; nothing is created twice',
    async (_what, options) => {
      await using world = await silentWorld(options)
      await world.persons(ann, bob)
      const broken = await world.broken()
      expect([broken.run.state, broken.run.problem?.code]).toEqual(['FAILED', 'UNAVAILABLE'])
      expect(await world.links()).toEqual([])
      const repeated = await world.run()
      expect(repeated.situations).toEqual(['source p1: CONFIRMED UPDATE', 'source p2: CONFIRMED UPDATE'])
      expect(world.writes).toEqual([])
      expect(Object.keys(await world.all(target))).toHaveLength(2)
      expect(await world.repository.intents.list('person_user', 10)).toEqual([])
      const records = (await world.audit(broken.run.id)).filter(({ entryType }) => entryType === 'entry')
      expect(records).toMatchObject(
        [ann, bob].map(({ _id }) => ({
          sourceObjectId: `managed/person/${_id}`,
          situation: 'ABSENT',
          action: 'CREATE',
          status: 'SUCCESS',
          message: 'found done after the run broke off',
        })),
      )
    },
  )

  it('which gives ids itself, two objects that look alike are not guessed at', async () => {
    await using world = await silentWorld({ givesIds: true })
    await world.persons(ann, { ...ann, _id: 'p2' })
    await world.broken()
    const { situations } = await world.run()
    expect(situations.filter((line) => line.startsWith('source'))).toEqual([
      'source p1: ABSENT CREATE',
      'source p2: ABSENT CREATE',
    ])
  })

  it('an update is recorded with what it changed, a password left out, and not made again', async () => {
    await using world = await silentWorld()
    await world.persons(ann, bob)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Old' }, { _id: 'u2', mail: 'bob@x', name: 'Older' })
    await world.link('p1', 'u1')
    await world.link('p2', 'u2')
    const broken = await world.broken()
    expect(broken.run.problem?.code).toBe('UNAVAILABLE')
    // Another writer changes one of the two first: what was written there is not known any more.
    await world.change(`${target}/u2`, { mail: 'bob@x', name: 'Theirs' })
    await world.run()
    expect(world.writes).toEqual(['update u2'])
    const records = (await world.audit(broken.run.id)).filter(({ entryType }) => entryType === 'entry')
    expect(records).toEqual([
      expect.objectContaining({
        sourceObjectId: 'managed/person/p1',
        action: 'UPDATE',
        changes: { '/name': { before: 'Old', after: 'Ann' } },
        message: 'found done after the run broke off',
      }),
    ])
  })

  it('the link of a deleted target goes with the next run', async () => {
    await using world = await silentWorld({
      mapping: { policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }] },
    })
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    await world.link('p1', 'u1')
    await world.broken({ overrides: { allowEmptySourceSet: true, reason: 'all have left' } })
    expect(await world.links()).toEqual(['p1 → u1'])
    await world.run({ overrides: { allowEmptySourceSet: true, reason: 'all have left' } })
    expect(await world.links()).toEqual([])
  })
})

describe('an intent', () => {
  it('of a run that is still active is left alone', async () => {
    await using world = await silentWorld()
    await world.persons(ann)
    const { run } = await world.broken()
    const { repository, resources } = world
    const recoverWhile = (isActive: boolean) =>
      recover(
        { repository, resources, log: () => {}, isActive: async (id) => isActive && id === run.id },
        'person_user',
      )
    await recoverWhile(true)
    expect(await repository.intents.list('person_user', 10)).toHaveLength(1)
    await recoverWhile(false)
    expect(await repository.intents.list('person_user', 10)).toEqual([])
    expect(await world.links()).toHaveLength(1)
  })

  it('is not resolved by a dry run', async () => {
    await using world = await silentWorld()
    await world.persons(ann)
    await world.broken()
    await world.run({ analyze: true })
    expect(await world.repository.intents.list('person_user', 10)).toHaveLength(1)
  })

  it('stays as long as the target cannot be read, and the run that needs it fails', async () => {
    await using world = await silentWorld()
    await world.persons(ann)
    await world.broken()
    world.meanwhile(async () => {
      throw new Problem('UNAVAILABLE', 'still dead')
    })
    expect((await world.run()).run.problem?.message).toBe('still dead')
    expect(await world.repository.intents.list('person_user', 10)).toHaveLength(1)
    expect((await world.run()).situations).toEqual(['source p1: CONFIRMED UPDATE'])
  })
})

describe('a create', () => {
  it('under an id that is taken is refused before it is tried: what was there is not taken for ours', async () => {
    await using world = await openWorld({
      external: true,
      mapping: { properties: [{ source: '_id', target: '_id' }, ...properties] },
    })
    await world.persons(ann)
    await world.users({ _id: 'p1', mail: 'else@x', name: 'Somebody' })
    const { run } = await world.run()
    expect(run.statistics.status.FAILURE).toBeGreaterThan(0)
    expect(world.writes).toEqual([])
    expect(await world.links()).toEqual([])
    expect(await world.repository.intents.list('person_user', 10)).toEqual([])
  })
})
