/** The built-in `onMapping` and `postMapping` in a run (engine §2.2). */
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { openWorld } from '../testing/world.ts'

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

describe('assignments with scripts', () => {
  const scripted = (mark: string): JsonObject => ({
    ...{ _id: 'a1', name: 'staff', mapping: 'person_user' },
    onAssignment: script(`targetObject.kind = '${mark}'; targetObject`),
    attributes: [
      {
        ...{ name: 'note', value: 'x' },
        assignmentOperation: script('({ value: attributeName + attributeValue + sourceObject.name })'),
        unassignmentOperation: script("({ value: 'gone' })"),
      },
    ],
  })
  it('are carried out, new ones and those of a mapping without any script of its own', async () => {
    await using world = await openWorld({ mapping })
    await world.users({ ...ann, effectiveAssignments: [scripted('one')] })
    await world.run()
    const target = async () => Object.values(await world.all('managed/person'))[0]
    expect(await target()).toMatchObject({ mail: 'ann@x', kind: 'one', note: 'notexAnn' })
    const { lastSync } = (await world.all(user)).u1 as JsonObject
    await world.change(`${user}/u1`, { ...ann, lastSync, effectiveAssignments: [scripted('two')] })
    await world.run()
    expect(await target()).toMatchObject({ kind: 'two', note: 'notexAnn' })
    const { lastSync: second } = (await world.all(user)).u1 as JsonObject
    await world.change(`${user}/u1`, { ...ann, lastSync: second })
    await world.run()
    expect(await target()).toMatchObject({ note: 'gone' })
  })
  it('that cannot be read fail the object, and say why', async () => {
    await using world = await openWorld({ mapping })
    const file = { type: 'text/javascript', file: 'nowhere.js' }
    await world.users({ ...ann, effectiveAssignments: [{ ...scripted('one'), onAssignment: file }] })
    const { entries } = await world.run()
    expect(JSON.stringify(entries)).toContain('nowhere.js')
    expect(await world.all('managed/person')).toEqual({})
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
