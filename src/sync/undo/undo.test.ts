import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { mask } from '../../model/secrecy.ts'
import type { PlanLine } from '../../plan/plan-line.ts'
import { runs } from '../../testing/runs.ts'
import { startPlan } from '../plans/make-plan.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import { administrator, openWorld, source, target, type World, type WorldOptions } from '../testing/world.ts'

/** The plan that undoes a run. */
async function undoing(
  world: World,
  runId: string,
): Promise<PlanSource & { readonly all: readonly PlanLine[] }> {
  const all: PlanLine[] = []
  const sink = { add: (line: PlanLine) => void all.push(JSON.parse(JSON.stringify(line))), async flush() {} }
  const asked = { mapping: world.mapping.name, undoes: runId, overrides: { guard: false, reason: 'undo' } }
  const { run, header } = await startPlan(world.reconciliations, asked, administrator, () => sink)
  const facts = await header
  if (!facts) throw run.problem ?? new Error('there is no plan')
  return {
    header: { ...facts, checksum: '' },
    all,
    async *lines(phase) {
      yield all.filter((line) => line.phase === phase)
    },
  }
}

const shown = ({ all }: { readonly all: readonly PlanLine[] }) =>
  all
    .map(
      ({ action, sourceId, refusal }) =>
        `${action} ${sourceId}${refusal === undefined ? '' : `: ${refusal}`}`,
    )
    .toSorted()

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
const policies = [
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
  { situation: 'UNASSIGNED', action: 'DELETE' },
  { situation: 'UNQUALIFIED', action: 'UNLINK' },
]
const mapping = {
  ...{ properties, policies, guard: false, sourceCondition: '!(/source/kind eq "guest")' },
  correlationQuery: {
    type: 'text/javascript',
    source: "({ _queryFilter: 'mail eq \"' + source.mail + '\"' })",
  },
}

/** Someone who comes, one who changes, one who is found, one who goes, one who becomes a guest. */
async function everything(options: WorldOptions = {}): Promise<World> {
  const world = await openWorld({ mapping, ...options })
  await world.persons(
    { _id: 'new', mail: 'new@x', name: 'New' },
    { _id: 'changed', mail: 'changed@x', name: 'After' },
    { _id: 'found', mail: 'found@x', name: 'Found' },
    { _id: 'guest', mail: 'guest@x', name: 'Guest', kind: 'guest' },
  )
  await world.users(
    { _id: 'u1', mail: 'changed@x', name: 'Before', note: 'kept' },
    { _id: 'u2', mail: 'found@x', name: 'Lost' },
    { _id: 'u3', mail: 'gone@x', name: 'Gone', note: 'mine' },
    { _id: 'u4', mail: 'guest@x', name: 'Guest' },
    { _id: 'u5', mail: 'stranger@x', name: 'Stranger' },
  )
  await world.link('changed', 'u1')
  await world.link('gone', 'u3')
  await world.link('guest', 'u4')
  return world
}

const state = async (world: World) => ({ users: await world.all(target), links: await world.links() })

describe.each([
  ['inside', false],
  ['outside', true],
])('a run on targets %s', (_where, external) => {
  it('is undone: everything is as it was', async () => {
    await using world = await everything({ external })
    const before = await state(world)
    const { run } = await world.run()
    expect((await state(world)).links).not.toEqual(before.links)
    const plan = await undoing(world, run.id)
    expect(shown(plan)).toEqual([
      'CREATE gone',
      'CREATE null',
      'DELETE new',
      'LINK guest',
      'UNLINK found',
      'UPDATE changed',
      'UPDATE found',
    ])
    const undone = await world.run({ plan })
    expect(undone.run.planned).toEqual({ performed: 7, failed: 0, stale: 0, done: 0, unchanged: 0 })
    expect(await state(world)).toEqual(before)
  })

  it('is undone once only: a second time nothing is left to do', async () => {
    await using world = await everything({ external })
    const { run } = await world.run()
    const plan = await undoing(world, run.id)
    await world.run({ plan })
    const again = await world.run({ plan })
    expect(again.run.planned).toMatchObject({ performed: 0, failed: 0, stale: 0 })
    expect(world.writes).toEqual([])
  })

  it('and undoing it can be undone as well', async () => {
    await using world = await everything({ external })
    const { run } = await world.run()
    const after = await state(world)
    const { run: undone } = await world.run({ plan: await undoing(world, run.id) })
    await world.run({ plan: await undoing(world, undone.id) })
    const named = ({ users }: typeof after) =>
      Object.values(users)
        .map(({ mail, name, note }) => [mail, name, note])
        .toSorted()
    expect(named(await state(world))).toEqual(named(after))
  })
})

describe('where the world has moved on', () => {
  it('a plan that undoes says so, and leaves that alone', async () => {
    await using world = await everything()
    const { run } = await world.run()
    await world.change(`${target}/u1`, { mail: 'changed@x', name: 'Third', note: 'kept' })
    const plan = await undoing(world, run.id)
    expect(shown(plan)).toContain('UPDATE changed: cannot be undone: it has changed since: name')
    await world.run({ plan })
    expect((await world.all(target)).u1).toMatchObject({ name: 'Third' })
  })

  it('between the plan and its performing, the step is left out', async () => {
    await using world = await everything()
    const { run } = await world.run()
    const plan = await undoing(world, run.id)
    await world.change(`${target}/u1`, { mail: 'changed@x', name: 'After', note: 'new' })
    const { run: undone } = await world.run({ plan })
    expect(undone.planned).toMatchObject({ stale: 1, failed: 0 })
    expect((await world.all(target)).u1).toMatchObject({ name: 'After', note: 'new' })
  })
})

it('what is not on record is named, and left as it is', async () => {
  const text = { type: 'string' }
  const types = ['person', 'user'].map((name) => ({
    name,
    schema: { properties: { mail: text, name: text, password: text } },
  }))
  const more = [...properties, { source: 'password', target: 'password' }]
  await using world = await everything({ types, mapping: { ...mapping, properties: more } })
  await world.change(`${source}/changed`, { mail: 'changed@x', name: 'After', password: 's3cret' })
  const { run } = await world.run()
  const plan = await undoing(world, run.id)
  const line = plan.all.find(({ sourceId }) => sourceId === 'changed')
  expect(line?.unforeseen).toBe('not on record, and left as it is: password')
  expect(JSON.stringify(plan.all)).not.toContain('s3cret')
  expect(line?.changes.map(({ pointer }) => pointer[0])).toEqual(['name'])
  expect(JSON.stringify(await world.audit(run.id))).toContain(mask)
})

it('a run of which nothing is on record is undone by nothing', async () => {
  await using world = await everything()
  expect(shown(await undoing(world, 'unknown'))).toEqual([])
})

it('undoes any run, whatever it did', async () => {
  const mail = fc.constantFrom('a@x', 'b@x', 'c@x', 'd@x')
  const object = fc.record({ mail, name: fc.constantFrom('Ann', 'Bob') })
  const people = fc.array(object, { minLength: 1, maxLength: 5 })
  const numbered = (prefix: string, all: readonly JsonObject[]) =>
    all.map((one, n) => ({ ...one, _id: `${prefix}${n}` }))
  await fc.assert(
    fc.asyncProperty(people, people, fc.nat(3), fc.boolean(), async (persons, users, linked, external) => {
      await using world = await openWorld({ mapping, external })
      await world.persons(...numbered('p', persons))
      await world.users(...numbered('u', users))
      for (let n = 0; n < Math.min(linked, users.length); n++) await world.link(`p${n}`, `u${n}`)
      const before = await state(world)
      const { run } = await world.run()
      const { run: undone } = await world.run({ plan: await undoing(world, run.id) })
      expect(undone.planned).toMatchObject({ failed: 0, stale: 0 })
      expect(await state(world)).toEqual(before)
    }),
    runs(25),
  )
})
