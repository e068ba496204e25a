import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ManagedType } from '../../objects/type/type.ts'
import { script } from '../../testing/script.ts'
import { implicitSync } from '../changes/implicit/implicit-sync.ts'
import { explain } from '../single/explain.ts'
import { administrator, openWorld, source, target } from '../testing/world.ts'

/** Compared as the target holds it (engine §4.3): what changes nothing there is no update, whatever asks. */
const encrypted = { encryption: { key: 'openidm-sym-default' } }
const types = (properties: JsonObject, hooks: JsonObject = {}) =>
  [
    { name: 'person' },
    { name: 'user', schema: { properties }, ...hooks },
  ] as unknown as readonly ManagedType[]

const trimming = script('object.mail = String(object.mail).trim()')
const forms: Readonly<Record<string, readonly [types: readonly ManagedType[], mail: string | string[]]>> = {
  'an encrypted property': [types({ mail: encrypted }), 'ann@x'],
  'a hashed property': [types({ mail: { secureHash: { algorithm: 'SHA-256' } } }), 'ann@x'],
  'an onStore script': [types({ mail: { onStore: script('property.toLowerCase()') } }), 'Ann@X'],
  'scripts that trim': [types({}, { onCreate: trimming, onUpdate: trimming }), 'ann@x '],
}

describe.each(Object.entries(forms))('a target with %s', (_what, [declared, mail]) => {
  const mapping = { properties: [{ source: 'mail', target: 'mail' }], guard: { maxUpdates: 1 } }
  const people = ['p1', 'p2', 'p3'].map((_id) => ({ _id, mail }))

  it('is not updated by a second run, in a plan, for a change, and explain agrees', async () => {
    await using world = await openWorld({ types: declared, mapping })
    await world.persons(...people)
    await world.run()
    const before = await world.all(target)
    const planned = await world.run({ analyze: true, foreseeHooks: true })
    expect(planned.entries.map(({ writes, changes }) => [writes, changes])).toEqual(
      people.map(() => [false, []]),
    )
    const { run } = await world.run()
    expect([run.state, run.statistics.written.updated]).toEqual(['SUCCESS', 0])
    const notify = implicitSync({ ...world.singles, mappings: () => [world.mapping] })
    const change = { action: 'notifyUpdate' as const, container: source, id: 'p1', oldValue: null }
    const newValue = { _id: 'p1', mail }
    const { results } = await notify({ ...change, newValue }, administrator)
    expect(results).toMatchObject([{ situation: 'CONFIRMED', action: 'UPDATE', result: 'SUCCESSFUL' }])
    const asked = { mapping: world.mapping.name, sourceId: 'p1' }
    const { decisions } = await explain(world.singles, asked, administrator)
    expect(decisions).toMatchObject([{ writes: false, attributes: [{ attribute: 'mail', changes: false }] }])
    expect(await world.all(target)).toEqual(before)
  })

  it('is updated where its value becomes another', async () => {
    await using world = await openWorld({ types: declared, mapping })
    await world.persons(...people)
    await world.run()
    await world.change(`${source}/p2`, { mail: 'other@x' })
    const { run, entries } = await world.run()
    expect(run.statistics.written.updated).toBe(1)
    expect(entries.filter(({ writes }) => writes).map(({ sourceId }) => sourceId)).toEqual(['p2'])
  })
})

describe('a target with an unordered list', () => {
  it('keeps its order, until its elements are others', async () => {
    const list = { type: 'array', comparison: 'unordered' }
    const mapping = { properties: [{ source: 'groups', target: 'groups' }] }
    await using world = await openWorld({ types: types({ groups: list }), mapping })
    await world.persons({ _id: 'p1', groups: ['b', 'a'] })
    await world.run()
    await world.change(`${source}/p1`, { groups: ['a', 'b'] })
    await world.run()
    expect(world.writes).toEqual([])
    await world.change(`${source}/p1`, { groups: ['a', 'b', 'c'] })
    await world.run()
    expect(Object.values(await world.all(target))).toMatchObject([{ groups: ['a', 'b', 'c'] }])
  })
})

describe('an id that is mapped as a number', () => {
  it('is the text that the target has', async () => {
    const properties = [{ source: 'number', target: '_id' }]
    await using world = await openWorld({ mapping: { properties } })
    await world.persons({ _id: 'p1', number: 7 })
    await world.users({ _id: '7' })
    await world.link('p1', '7')
    const { run } = await world.run()
    expect([run.statistics.written.unchanged, run.statistics.status.FAILURE]).toEqual([1, 0])
  })
})
