/** The built-in `onMapping` and `postMapping` in a run (engine specification §2.2). */
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { openWorld, script } from '../testing/world.ts'

const user = 'managed/user'
const mapping = {
  source: user,
  target: 'managed/person',
  properties: [{ source: 'mail', target: 'mail' }],
}
const staff = {
  _id: 'a1',
  name: 'staff',
  mapping: 'person_user',
  attributes: [{ name: 'groups', value: ['staff'], assignmentOperation: 'mergeWithTarget' }],
}
const ann = { _id: 'u1', mail: 'ann@x', name: 'Ann' }

async function lastSyncOf(world: Awaited<ReturnType<typeof openWorld>>) {
  return ((await world.all(user)).u1?.lastSync as JsonObject | undefined)?.person_user as
    | JsonObject
    | undefined
}

describe.each([
  ['in the repository', false],
  ['outside', true],
])('roles of a user whose target is %s', (_where, external) => {
  it('are carried out once, remembered, and undone when they are gone', async () => {
    await using world = await openWorld({ mapping, external })
    await world.users({ ...ann, effectiveAssignments: [staff] })
    await world.run()
    const [created] = Object.values(await world.all('managed/person'))
    expect(created).toMatchObject({ mail: 'ann@x', groups: ['staff'] })
    expect(await lastSyncOf(world)).toMatchObject({ effectiveAssignments: [staff] })

    await world.run()
    expect(world.writes).toEqual([])

    const { lastSync } = (await world.all(user)).u1 as JsonObject
    await world.change(`${user}/u1`, { ...ann, lastSync })
    await world.run()
    const [after] = Object.values(await world.all('managed/person'))
    expect(after).toMatchObject({ groups: [] })
    expect(await lastSyncOf(world)).toMatchObject({ effectiveAssignments: [] })
  })
})

describe('a mapping with hooks of its own', () => {
  it('leaves roles to onMapping, and remembering to postMapping', async () => {
    await using world = await openWorld({
      mapping: { ...mapping, onMapping: script("target.note = 'mine'"), postMapping: script('1') },
    })
    await world.users({ ...ann, effectiveAssignments: [staff] })
    await world.run()
    const [created] = Object.values(await world.all('managed/person'))
    expect(created).toMatchObject({ note: 'mine' })
    expect(created).not.toHaveProperty('groups')
    expect(await lastSyncOf(world)).toBeUndefined()
  })

  it('writes no user who has no roles', async () => {
    await using world = await openWorld({ mapping })
    await world.users(ann)
    await world.run()
    expect(world.writes).toEqual([expect.stringMatching(/^create /)])
  })
})
