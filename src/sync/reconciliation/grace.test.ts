import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { implicitSync } from '../changes/implicit/implicit-sync.ts'
import { pendingDeletions } from '../page/grace.ts'
import { repoLinkProvider } from '../resources/repo-link.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'

const day = 86_400_000
afterEach(() => vi.useRealTimers())
const daysLater = (days: number) => vi.useFakeTimers({ now: Date.now() + days * day, toFake: ['Date'] })

const properties = [{ source: 'mail', target: 'mail' }]
const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
const grace = { deleteAfter: '30d', disable: { accountStatus: 'inactive' } }

async function person(mapping: JsonObject = {}, external = false): Promise<World> {
  const world = await openWorld({
    external,
    mapping: { properties, policies, allowEmptySourceSet: true, ...grace, ...mapping },
  })
  await world.persons({ _id: 'p', mail: 'p@x' })
  await world.users({ _id: 'u', mail: 'p@x', title: 'kept', accountStatus: 'active' })
  await world.link('p', 'u')
  await world.run()
  return world
}
const only = async (world: World) => (await world.all(target)).u
const pending = async ({ repository }: World) => {
  const { result } = await repository.objects.query(pendingDeletions, {
    filter: { kind: 'literal', value: true },
  })
  return result
}

describe.each([
  ['in the repository', false],
  ['outside', true],
])('a DELETE with deleteAfter, of a target %s', (_where, external) => {
  it('disables now, keeps link and due time in sight, writes nothing more, and deletes when it is due', async () => {
    await using world = await person({}, external)
    await world.remove(`${source}/p`)
    const { run, entries } = await world.run()
    expect(entries).toMatchObject([
      { situation: 'SOURCE_MISSING', action: 'UPDATE', deleteAfter: expect.any(String) },
    ])
    expect(await only(world)).toMatchObject({ accountStatus: 'inactive', title: 'kept' })
    expect(await world.links()).toEqual(['p → u'])
    const [waits] = await pending(world)
    expect(Date.parse(String(waits?.due)) - Date.now()).toBeGreaterThan(29 * day)
    expect(waits).toMatchObject({ sourceId: 'p', targetId: 'u', situation: 'SOURCE_MISSING' })
    const [entry] = (await world.audit(run.id)).filter(({ entryType }) => entryType === 'entry')
    expect(entry?.message).toBe(`disabled; to be deleted after ${waits?.due}`)
    const link = await repoLinkProvider(world.repository, () => undefined).read?.(
      String(waits?._id),
      administrator,
    )
    expect(link).toMatchObject({ deleteAfter: waits?.due })
    await world.run()
    expect(world.writes).toEqual([])
    daysLater(29)
    await world.run()
    expect(world.writes).toEqual([])
    daysLater(2)
    await world.run()
    expect([await only(world), await world.links(), await pending(world)]).toEqual([undefined, [], []])
  })

  it('revives the same target with its link when the source is back in time', async () => {
    await using world = await person({}, external)
    await world.remove(`${source}/p`)
    await world.run()
    daysLater(20)
    await world.persons({ _id: 'p', mail: 'new@x' })
    await world.run()
    expect(await only(world)).toMatchObject({ accountStatus: 'active', mail: 'new@x', title: 'kept' })
    expect([await world.links(), await pending(world)]).toEqual([['p → u'], []])
    await world.run()
    expect(world.writes).toEqual([])
    // The next time begins anew.
    await world.remove(`${source}/p`)
    await world.run()
    daysLater(29)
    await world.run()
    expect(await only(world)).toMatchObject({ accountStatus: 'inactive' })
  })
})

describe('deleteAfter', () => {
  it('leaves a disabling value to the mapping if that writes it', async () => {
    const own = [...properties, { source: 'status', target: 'accountStatus', default: 'on leave' }]
    await using world = await person({ properties: own })
    await world.remove(`${source}/p`)
    await world.run()
    await world.persons({ _id: 'p', mail: 'p@x' })
    await world.run()
    expect(await only(world)).toMatchObject({ accountStatus: 'on leave' })
  })

  it('holds for objects that do not qualify any more, as of a policy', async () => {
    const own = {
      deleteAfter: null,
      sourceCondition: '/source/mail sw "p"',
      policies: [{ situation: 'UNQUALIFIED', action: 'DELETE', deleteAfter: '1d' }],
    }
    await using world = await person(own)
    await world.change(`${source}/p`, { mail: 'left@x' })
    await world.run()
    expect(await only(world)).toMatchObject({ accountStatus: 'inactive', mail: 'p@x' })
    daysLater(2)
    await world.run()
    expect(await only(world)).toBeUndefined()
  })

  it('may be switched off for one policy', async () => {
    const own = { policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE', deleteAfter: '0d' }] }
    await using world = await person(own)
    await world.remove(`${source}/p`)
    await world.run()
    expect(await only(world)).toBeUndefined()
  })

  it('holds for changes of single objects, and what is back with them', async () => {
    await using world = await person()
    const notify = implicitSync({ ...world.singles, mappings: () => [world.mapping] })
    const gone = { _id: 'p', mail: 'p@x' }
    await world.remove(`${source}/p`)
    const about = { container: source, id: 'p' }
    await notify({ ...about, action: 'notifyDelete', oldValue: gone, newValue: null }, administrator)
    expect(await only(world)).toMatchObject({ accountStatus: 'inactive' })
    await world.persons(gone)
    await notify({ ...about, action: 'notifyCreate', oldValue: null, newValue: gone }, administrator)
    expect(await only(world)).toMatchObject({ accountStatus: 'active' })
    expect([await world.links(), await pending(world)]).toEqual([['p → u'], []])
  })

  it('is counted by the guard twice: as disabling now, as a delete when it is due', async () => {
    await using world = await person({
      guard: { maxDisables: 0 },
      disable: { attribute: 'locked', value: true },
    })
    await world.remove(`${source}/p`)
    expect((await world.run()).run.problem?.message).toContain('1 disables for 1 linked targets')
    expect(await only(world)).toMatchObject({ accountStatus: 'active' })
    const reason = 'he left'
    await world.run({ overrides: { guard: { maxDisables: 1 }, reason } })
    expect(await only(world)).toMatchObject({ locked: true })
    expect((await world.run()).run.state).toBe('SUCCESS')
    daysLater(31)
    const { run } = await world.run({ overrides: { guard: { maxDeletes: 0 }, reason } })
    expect(run.problem?.message).toContain('1 deletes for 1 linked targets')
  })
})
