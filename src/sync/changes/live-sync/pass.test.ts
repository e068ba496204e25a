import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../model/json.ts'
import type { Resources, SetChange } from '../../../router/resources.ts'
import { runs } from '../../../testing/runs.ts'
import { administrator, openWorld, source, type World } from '../../testing/world.ts'
import { implicitSync } from '../implicit/implicit-sync.ts'
import { failureHandler } from './failure-handler.ts'
import { liveSync } from './live-sync.ts'
import { readStage } from './state.ts'

const correlationQuery = {
  type: 'text/javascript',
  source: "var filter = {_queryFilter: '/note eq \"' + source.note + '\"'}; filter",
}
const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'note', target: 'note' },
]
const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
const carriesOver = { situation: 'FOUND_ALREADY_LINKED', action: 'UPDATE' }

const person = (_id: string, note: string): JsonObject & { _id: string } => ({ _id, mail: `${_id}@x`, note })
const gone = (id: string): SetChange => ({ kind: 'DELETE', id, token: null })
const there = (id: string, note: string): SetChange => ({
  kind: 'CREATE_OR_UPDATE',
  id,
  object: person(id, note),
  token: null,
})

/** liveSync of changes that are told as they are given; answers the state record. */
async function synchronize(world: World, changes: readonly SetChange[], handler?: JsonObject) {
  const told = {
    latestToken: async () => 'now',
    async *since() {
      yield* changes
      yield { kind: 'END', token: 'end' } as const
    },
  }
  const resources: Resources = {
    ...world.resources,
    objectSet: (path) => ({ ...world.resources.objectSet(path), ...(path === source && { changes: told }) }),
  }
  const single = { ...world.singles, resources: () => resources, mappings: () => [world.mapping] }
  const options = {
    ...single,
    notify: implicitSync(single),
    handlerOf: () => failureHandler(handler),
    runScript: async () => [],
  }
  const asked = { source, fromBeginning: true, overrides: { guard: false, reason: 'set up' } }
  return liveSync(options, asked, administrator)
}

/** One person with an account that has a value of its own. */
async function open(mapping: JsonObject, external: boolean) {
  const world = await openWorld({ external, mapping: { properties, policies, ...mapping } })
  await world.persons(person('ABaker', '1'), person('other', '2'))
  await world.users({ ...person('u1', '1'), phone: '7' }, person('u2', '2'))
  await world.link('ABaker', 'u1')
  await world.link('other', 'u2')
  return world
}

async function renamed(world: World, before: string, now: string) {
  await world.remove(`${source}/${before}`)
  await world.persons(person(now, '1'))
}

describe.each([
  ['inside the repository', false],
  ['outside', true],
])('a pass of liveSync, with a target %s', (_where, external) => {
  it.each([
    ['told before', [gone('ABaker'), there('abaker', '1')]],
    ['told after', [there('abaker', '1'), gone('ABaker')]],
    ['told alone', [gone('ABaker')]],
  ])('takes another spelling of an id for the same object: the old one %s', async (_order, changes) => {
    await using world = await open({ correlationQuery, sourceIdsCaseSensitive: false }, external)
    // As the links of such a mapping are stored.
    await world.repository.links.delete([{ _id: 'ABaker-u1-default' }])
    await world.run()
    const before = await world.links()
    await renamed(world, 'ABaker', 'abaker')
    expect(await synchronize(world, changes)).not.toHaveProperty('lastException')
    expect(await world.all('managed/user')).toMatchObject({
      u1: { phone: '7', note: '1' },
      u2: { note: '2' },
    })
    expect(world.writes.filter((write) => write.startsWith('delete'))).toEqual([])
    expect(await world.links()).toEqual(before)
  })

  it.each([
    ['told before', [gone('ABaker'), there('new', '1')]],
    ['told after', [there('new', '1'), gone('ABaker')]],
  ])('carries the link of a changed id over: the old one %s', async (_order, changes) => {
    await using world = await open({ correlationQuery, policies: [...policies, carriesOver] }, external)
    await renamed(world, 'ABaker', 'new')
    expect(await synchronize(world, changes)).not.toHaveProperty('lastException')
    expect(await world.all('managed/user')).toMatchObject({ u1: { phone: '7', mail: 'new@x' } })
    expect(await world.links()).toEqual(['new → u1', 'other → u2'])
  })

  it.each([
    ['tried again for ever', undefined],
    ['given up at once', { maxRetries: 0, postRetryAction: 'logged-ignore' }],
  ])('never deletes by default what correlation finds under another id: %s', async (_what, handler) => {
    await using world = await open({ correlationQuery }, external)
    await renamed(world, 'ABaker', 'new')
    const changes = [gone('ABaker'), there('new', '1')]
    for (let call = 0; call < 3; call++) await synchronize(world, changes, handler)
    expect(await world.all('managed/user')).toMatchObject({ u1: { phone: '7', mail: 'u1@x' } })
    expect(await world.links()).toEqual(['ABaker → u1', 'other → u2'])
  })

  it('still deletes what is gone', async () => {
    await using world = await open({ correlationQuery }, external)
    await world.remove(`${source}/ABaker`)
    await synchronize(world, [gone('ABaker'), there('third', '3')])
    expect(await world.links()).toHaveLength(2)
    expect(await world.all('managed/user')).not.toHaveProperty('u1')
    expect(await readStage(world.repository, source)).toMatchObject({ token: 'end' })
  })
})

it('counts the tries of a change behind one that waits, and gives each up once only', async () => {
  await using world = await open({ properties: [{ source: 'mail', target: 'name' }] }, false)
  const short = (id: string): SetChange => ({ kind: 'UPDATE', id, object: { _id: id, mail: 'x' }, token: id })
  const changes = [gone('nobody'), short('a'), short('b')]
  const handler = { maxRetries: 1, postRetryAction: 'logged-ignore' }
  const calls = []
  for (let call = 0; call < 4; call++) calls.push(await synchronize(world, changes, handler))
  const stoppedAt = calls.map((answer) => /synchronize (\S+)/.exec(JSON.stringify(answer))?.[1])
  expect(stoppedAt).toEqual(['a', 'b', undefined, 'a'])
  expect(world.logged.filter((line) => line.includes('is left out'))).toHaveLength(2)
})

it('comes to the same end whatever the order in which changes are told', async () => {
  const changes = [
    gone('ABaker'),
    there('new', '1'),
    there('other', '2'),
    there('third', '3'),
    gone('fourth'),
  ]
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(changes, { minLength: changes.length }), async (order) => {
      await using world = await open({ correlationQuery, policies: [...policies, carriesOver] }, false)
      await renamed(world, 'ABaker', 'new')
      await synchronize(world, order)
      const users = Object.values(await world.all('managed/user')).map(({ mail, phone }) => [mail, phone])
      expect(users.toSorted()).toEqual([
        ['new@x', '7'],
        ['other@x', undefined],
        ['third@x', undefined],
      ])
      expect(await world.links()).toHaveLength(3)
    }),
    runs(10),
  )
})
