import { describe, expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import type { Extent, Facts } from '../../plan/decide.ts'
import { script } from '../../testing/script.ts'
import { openSingle } from '../single/look.ts'
import { administrator, openWorld, type World } from '../testing/world.ts'
import { applyPage } from './apply/apply.ts'
import { decidePage } from './decide.ts'
import { joinSources } from './join.ts'
import { type Operation, type ReadSource, readSource } from './operation.ts'
import type { Rules } from './rules.ts'
import { synchronize } from './synchronize.ts'

const scripted = {
  validSource: script('true'),
  correlationQuery: script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q"),
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name', transform: script('source.toUpperCase()') },
  ],
  policies: [{ situation: 'ABSENT', action: 'CREATE', condition: script('true') }],
}
const people = ['Ann', 'Bob', 'Cy'].map((name) => ({ _id: name, mail: `${name}@x`, name }))

async function openPage(world: World, change: (rules: Rules) => Rules = (rules) => rules) {
  const rulesOf = async () => change(await world.singles.rulesOf())
  const options = { ...world.singles, rulesOf }
  const sync = await openSingle(options, world.mapping.name, administrator, { analysis: false })
  const page = people.map((person) => readSource(person._id, person, 'default'))
  return { sync, page }
}

/** What is frozen and changed all the same throws: tests are modules, and those are strict. */
function frozen<T extends Operation>(page: readonly T[]): readonly T[] {
  return Object.freeze(page.map((operation) => Object.freeze(operation)))
}

describe('a page of operations', () => {
  it('goes through its stages, and no step changes what it was given', async () => {
    await using world = await openWorld({ mapping: scripted })
    await world.persons(...people)
    await world.users({ _id: 'u', mail: 'Bob@x', name: 'Old' })
    const { sync, page } = await openPage(world)
    const joined = frozen(await joinSources(sync, frozen(page)))
    const decided = frozen(await decidePage(sync, joined))
    const recorder = { record: async (done: readonly Operation[]) => void frozen(done) }
    const recorded = await applyPage(sync, decided, recorder)
    expect(joined.map(({ stage, targetId }) => [stage, targetId])).toEqual([
      ['joined', undefined],
      ['joined', 'u'],
      ['joined', undefined],
    ])
    expect(decided.map(({ stage, situation, action }) => [stage, situation, action])).toEqual([
      ['decided', 'ABSENT', 'CREATE'],
      ['decided', 'FOUND', 'UPDATE'],
      ['decided', 'ABSENT', 'CREATE'],
    ])
    expect(recorded.map(({ stage, effect, linkCreated }) => [stage, effect, linkCreated])).toEqual([
      ['applied', 'created', true],
      ['applied', 'updated', true],
      ['applied', 'created', true],
    ])
    expect(await world.links()).toHaveLength(3)
  })

  it('crosses into the sandbox twice, whatever its rules', async () => {
    await using world = await openWorld({ mapping: scripted })
    const crossings: string[] = []
    const { sync, page } = await openPage(world, (rules) => ({
      ...rules,
      ask(name, inputs, context) {
        if (inputs.length > 0) crossings.push(name)
        return rules.ask(name, inputs, context)
      },
    }))
    await synchronize(sync, page, (decided) => applyPage(sync, decided, { async record() {} }))
    expect(crossings).toEqual(['question', 'decide'])
  })

  it('that has to wait is read as before, and joined anew', async () => {
    await using world = await openWorld({ mapping: scripted })
    const { sync, page } = await openPage(world)
    const [ann, ...others] = page
    const twice: ReadSource[] = ann ? [ann, readSource('Ann2', { ...people[0], _id: 'Ann2' }, 'default')] : []
    const seen: (string | undefined)[][] = []
    await synchronize(sync, [...twice, ...others], async (decided) => {
      seen.push(decided.map(({ sourceId, situation }) => `${sourceId} ${situation}`))
      await applyPage(sync, decided, { async record() {} })
    })
    expect(seen).toEqual([['Ann ABSENT'], ['Ann2 FOUND_ALREADY_LINKED', 'Bob ABSENT'], ['Cy ABSENT']])
  })

  it('is counted once where the store calls the work of its transaction again', async () => {
    await using world = await openWorld({ mapping: scripted, repeatTransactions: true })
    await world.persons(...people)
    const { run } = await world.run()
    expect(run.toJSON()).toMatchObject({
      statusSummary: { SUCCESS: 3, FAILURE: 0 },
      progress: { target: { created: 3 }, links: { created: 3 } },
    })
    expect(await world.audit(run.id)).toHaveLength(5)
  })
})

describe('a decision that a script breaks off', () => {
  const timeout = new Problem('SCRIPT_TIMEOUT', 'too long')
  const brokenAt =
    (extents: readonly Extent[]) =>
    (rules: Rules): Rules => ({
      ...rules,
      async ask(name, inputs, context) {
        const outcomes = await rules.ask(name, inputs, context)
        return outcomes.map((outcome, place) => {
          const input = inputs[place]
          const facts = name === 'decide' ? (input as Facts | undefined) : undefined
          const breaks = facts?.sourceId === 'Bob' && extents.includes(facts.wanted.until)
          return breaks ? { ok: false, error: timeout } : outcome
        })
      },
    })
  const none = { situation: undefined, action: undefined, shapingFailed: false }
  const bob = { situation: 'ABSENT', action: 'CREATE', shapingFailed: false }

  it.each<[where: string, extents: Extent[], hooks: 'run' | 'foresee', left: object]>([
    ['while it shapes', ['shape'], 'run', { ...bob, failure: timeout, shapingFailed: true }],
    [
      'while it shapes in a plan',
      ['shape'],
      'foresee',
      { ...bob, failure: undefined, unforeseen: 'too long' },
    ],
    ['in a policy', ['shape', 'action'], 'run', { ...bob, failure: timeout }],
    ['before its situation', ['shape', 'action', 'situation'], 'run', { ...none, failure: timeout }],
  ])('%s holds as far as it goes, and no other does', async (_where, extents, hooks, left) => {
    await using world = await openWorld({ mapping: scripted })
    const { sync, page } = await openPage(world, brokenAt(extents))
    const looking = { ...sync, hooks }
    const decided = await decidePage(looking, await joinSources(looking, page))
    expect(decided[1]).toMatchObject(left)
    for (const operation of [decided[0], decided[2]])
      expect(operation).toMatchObject({ ...bob, failure: undefined, desired: expect.anything() })
  })
})
