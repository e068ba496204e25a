import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ManagedType } from '../../objects/type/type.ts'
import type { PlanLine } from '../../plan/plan-line.ts'
import { runs } from '../../testing/runs.ts'
import { script } from '../../testing/script.ts'
import { startPlan } from '../plans/make-plan.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import { administrator, openWorld, type World, type WorldOptions } from '../testing/world.ts'

const text = { type: 'string' }
const types: ManagedType[] = [
  { name: 'person', schema: { properties: { mail: text, note: text } } },
  {
    name: 'user',
    schema: {
      properties: { mail: { ...text, searchable: true, policies: [{ policyId: 'unique' }] }, note: text },
    },
  },
]

const properties = [{ source: 'mail', target: 'mail' }]
type Run = Awaited<ReturnType<World['run']>>

const failures = ({ entries }: Run) =>
  entries.flatMap(({ sourceId, refusal }) => (refusal ? [`${sourceId}: ${refusal}`] : []))

/** People with these mails, of whom `before` have had users already. */
async function people(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  { mapping, ...options }: WorldOptions = {},
): Promise<World> {
  const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
  const world = await openWorld({
    ...{ types, ...options },
    mapping: { properties, policies, guard: false, ...mapping },
  })
  await world.persons(...Object.entries(now).map(([_id, mail]) => ({ _id, mail })))
  for (const [id, mail] of Object.entries(before)) {
    await world.users({ _id: `u${id}`, mail })
    await world.link(id, `u${id}`)
  }
  return world
}

/** The mails of the users, by the people that they are linked to. */
async function mails(world: World): Promise<Record<string, unknown>> {
  const users = await world.all('managed/user')
  const links = await world.links()
  return Object.fromEntries(
    links.map((link) => {
      const [person = '', user = ''] = link.split(' → ')
      return [person, users[user]?.mail]
    }),
  )
}

const pages: [string, JsonObject][] = [
  ['in one page', {}],
  ['in pages of one', { taskThreads: 1, reconSourceQueryPaging: true, reconSourceQueryPageSize: 1 }],
]

describe.each(pages)('a unique value that passes on within a run, %s', (_pages, mapping) => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['to one before its giver', { 2: 'x', 1: 'a' }, { 1: 'x', 2: 'b' }],
    ['to one behind its giver', { 1: 'x', 2: 'a' }, { 1: 'b', 2: 'x' }],
    ['along a chain', { 1: 'a', 2: 'b', 3: 'c' }, { 1: 'b', 2: 'c', 3: 'd' }],
    ['between two', { 1: 'a', 2: 'b' }, { 1: 'b', 2: 'a' }],
    ['round three', { 1: 'a', 2: 'b', 3: 'c' }, { 1: 'b', 2: 'c', 3: 'a' }],
    ['from one who leaves to one who comes', { 3: 'c', 1: 'a' }, { 1: 'a', 4: 'c' }],
  ])('%s: one run comes to the state of the source, as its plan says', async (_what, before, now) => {
    await using world = await people(before, now, { mapping })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(plan)).toEqual([])
    expect(failures(run)).toEqual([])
    expect(run.situations.toSorted()).toEqual(plan.situations.toSorted())
    expect(run.run.statistics.status.FAILURE).toBe(0)
    expect(await mails(world)).toEqual(now)
    const audited = (await world.audit(run.run.id)).filter(({ entryType }) => entryType === 'entry')
    expect(audited.map(({ status }) => status)).not.toContain('FAILURE')
    expect(audited).toHaveLength(run.entries.length)
    await world.run()
    expect(world.writes).toEqual([])
  })
})

describe('what stays impossible', () => {
  it('fails once, and the message says who has the value', async () => {
    await using world = await people({ 1: 'a', 2: 'b' }, { 1: 'a', 2: 'a' })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(plan)).toEqual(failures(run))
    expect(failures(run)).toEqual([
      expect.stringMatching(/^2: .*managed\/user\/u1 has the mail, linked to 1$/),
    ])
    expect(run.run.statistics.status).toEqual({ SUCCESS: 1, FAILURE: 1 })
    const failed = (await world.audit(run.run.id)).filter(({ status }) => status === 'FAILURE')
    expect(failed).toHaveLength(1)
  })

  it('is a swap where each object is written in a transaction of its own, and the message says so', async () => {
    await using world = await people(
      { 1: 'a', 2: 'b' },
      { 1: 'b', 2: 'a' },
      { external: true, mapping: { ...pages[1]?.[1], onUpdate: script("''") } },
    )
    expect(failures(await world.run()).filter((text) => !text.includes('it is a swap'))).toEqual([])
  })

  it('tells onError once', async () => {
    const onError = script("openidm.create('managed/person', null, {note: 'failed'})")
    await using world = await people({ 1: 'a', 2: 'b' }, { 1: 'a', 2: 'a' }, { mapping: { onError } })
    await world.run()
    expect(Object.values(await world.all('managed/person')).filter(({ note }) => note)).toHaveLength(1)
  })
})

describe('an id that passes on within a run', () => {
  const ids = [...properties, { source: 'note', target: '_id' }]

  it('from one who leaves to one who comes', async () => {
    await using world = await openWorld({
      external: true,
      mapping: {
        properties: ids,
        policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
        guard: false,
      },
    })
    await world.persons({ _id: 'p2', mail: 'two', note: 'x' })
    await world.users({ _id: 'x', mail: 'one' })
    await world.link('p1', 'x')
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(failures(run)).toEqual([])
    expect(await world.all('managed/user')).toEqual({ x: { _id: 'x', mail: 'two' } })
    expect(await world.links()).toEqual(['p2 → x'])
  })

  it('is refused to the second of two, in plan and run', async () => {
    await using world = await openWorld({ external: true, mapping: { properties: ids } })
    await world.persons({ _id: 'p1', mail: 'one', note: 'x' }, { _id: 'p2', mail: 'two', note: 'x' })
    const expected = [
      'p2: could not create the target: managed/user already has an object "x", which is linked to p1',
    ]
    expect(failures(await world.run({ analyze: true, foreseeHooks: true }))).toEqual(expected)
    expect(failures(await world.run())).toEqual(expected)
  })
})

it('comes to the same end whatever the order and the pages', async () => {
  const mail = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const people4 = fc.uniqueArray(mail, { minLength: 4, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(people4, people4, fc.constantFrom(1, 2, 500), async (before, now, size) => {
      const of = (values: readonly string[], from: number) =>
        Object.fromEntries(values.map((value, place) => [`p${place + from}`, value]))
      // One leaves, one comes, three change their address.
      await using world = await people(of(before, 0), of(now, 1), {
        mapping: { reconSourceQueryPaging: true, reconSourceQueryPageSize: size },
      })
      const run = await world.run()
      expect(failures(run)).toEqual([])
      expect(await mails(world)).toEqual(of(now, 1))
    }),
    runs(20),
  )
})

it('fails in a plan as it fails in the run, whoever wants whose address', async () => {
  const mail = fc.constantFrom('a', 'b', 'c', 'd')
  const wishes = fc.array(mail, { minLength: 4, maxLength: 4 })
  const held = fc.uniqueArray(mail, { minLength: 2, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(held, wishes, fc.constantFrom(1, 2, 500), async (before, now, size) => {
      const of = (values: readonly string[], from: number) =>
        Object.fromEntries(values.map((value, place) => [`p${place + from}`, value]))
      const mapping = { reconSourceQueryPaging: true, reconSourceQueryPageSize: size }
      await using world = await people(of(before, 0), of(now, 1), { mapping })
      const failing = ({ entries }: Run) =>
        entries.flatMap(({ sourceId, refusal }) => (refusal ? [sourceId] : [])).toSorted()
      const plan = failing(await world.run({ analyze: true, foreseeHooks: true }))
      expect(failing(await world.run())).toEqual(plan)
      const users = Object.values(await world.all('managed/user'))
      expect(new Set(users.map((user) => user.mail)).size).toBe(users.length)
    }),
    runs(40),
  )
})

describe('a plan that is performed', () => {
  it.each(pages)('comes to what the run comes to, %s', async (_pages, mapping) => {
    const [before, now] = [
      { 1: 'a', 2: 'b', 3: 'c', 5: 'e' },
      { 1: 'b', 2: 'a', 4: 'c', 5: 'f' },
    ]
    await using world = await people(before, now, { mapping })
    const lines: PlanLine[] = []
    const sink = () => ({ add: (line: PlanLine) => void lines.push(line), flush: async () => {} })
    const { header } = await startPlan(
      world.reconciliations,
      { mapping: world.mapping.name },
      administrator,
      sink,
    )
    const facts = await header
    if (!facts) throw new Error('there is a plan')
    const plan: PlanSource = {
      header: { ...facts, checksum: '' },
      async *lines(phase) {
        yield lines.filter((line) => line.phase === phase)
      },
    }
    const { run } = await world.run({ plan })
    expect(run.planned).toEqual({ performed: lines.length, failed: 0, stale: 0, done: 0, unchanged: 0 })
    expect(run.statistics.status.FAILURE).toBe(0)
    expect(await mails(world)).toEqual(now)
  })
})
