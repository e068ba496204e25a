import { describe, expect, it } from 'vitest'
import type { Action, Situation } from '../../mapping/situation.ts'
import { correlation, inSituation, properties } from '../testing/situations.ts'
import { openWorld } from '../testing/world.ts'

/**
 * Every action, run for real: what it does to the target, to the link, and what it records
 * (engine §4.3). The same table is run against a target inside the repository, whose page is one transaction, and against one
 * outside.
 */
interface Outcome {
  /** Target writes. */
  readonly writes: readonly RegExp[]
  /** Whether p's (or for the target phase, u's) link is there in the end. */
  readonly linked: boolean
  readonly status: 'SUCCESS' | 'FAILURE'
  readonly message?: RegExp
}

const nothing: Outcome = { writes: [], linked: false, status: 'SUCCESS' }

const table: [Situation, Action, Outcome][] = [
  ['ABSENT', 'CREATE', { ...nothing, writes: [/^create /], linked: true }],
  ['MISSING', 'CREATE', { ...nothing, writes: [/^create /], linked: true }],
  ['FOUND', 'CREATE', { ...nothing, status: 'FAILURE', message: /target object already exists/ }],
  [
    'UNASSIGNED',
    'CREATE',
    { ...nothing, status: 'FAILURE', message: /no source object to create target from/ },
  ],
  ['CONFIRMED', 'UPDATE', { ...nothing, writes: [/^update u$/], linked: true }],
  ['FOUND', 'UPDATE', { ...nothing, writes: [/^update u$/], linked: true }],
  ['MISSING', 'UPDATE', { ...nothing, linked: true }],
  ['ABSENT', 'UPDATE', { ...nothing, status: 'FAILURE', message: /no target object to link/ }],
  ['AMBIGUOUS', 'UPDATE', { ...nothing, status: 'FAILURE', message: /no target object to link/ }],
  ['UNASSIGNED', 'UPDATE', { ...nothing, status: 'FAILURE', message: /no source object to link/ }],
  ['FOUND', 'LINK', { ...nothing, linked: true }],
  ['CONFIRMED', 'LINK', { ...nothing, linked: true }],
  ['ABSENT', 'LINK', { ...nothing, status: 'FAILURE', message: /no target object to link/ }],
  ['UNQUALIFIED', 'DELETE', { ...nothing, writes: [/^delete u$/] }],
  ['CONFIRMED', 'DELETE', { ...nothing, writes: [/^delete u$/] }],
  ['SOURCE_MISSING', 'DELETE', { ...nothing, writes: [/^delete u$/] }],
  ['UNASSIGNED', 'DELETE', { ...nothing, writes: [/^delete z$/] }],
  ['AMBIGUOUS', 'DELETE', nothing],
  ['UNQUALIFIED', 'UNLINK', nothing],
  ['MISSING', 'UNLINK', nothing],
  ['SOURCE_MISSING', 'UNLINK', nothing],
  ['ABSENT', 'UNLINK', nothing],
  [
    'AMBIGUOUS',
    'EXCEPTION',
    { ...nothing, message: /^Situation AMBIGUOUS marked as EXCEPTION: it may be \S+, \S+$/ },
  ],
  [
    'FOUND_ALREADY_LINKED',
    'EXCEPTION',
    {
      ...nothing,
      message: /^Situation FOUND_ALREADY_LINKED marked as EXCEPTION: the target is linked to \S+$/,
    },
  ],
  ['CONFIRMED', 'REPORT', { ...nothing, linked: true }],
  ['SOURCE_IGNORED', 'REPORT', nothing],
  ['CONFIRMED', 'IGNORE', { ...nothing, linked: true }],
  ['CONFIRMED', 'ASYNC', { ...nothing, linked: true }],
]

describe.each([
  ['inside the repository', false],
  ['outside', true],
])('with a target %s', (_where, external) => {
  it.each(table)('%s followed by %s: %o', async (situation, action, expected) => {
    await using world = await inSituation(situation, action, { external })
    const { run, entries } = await world.run()
    const entry = entries.find((one) => one.situation === situation)
    expect(run.state).toBe('SUCCESS')
    expect(entry).toMatchObject({ situation, action })
    expect(world.writes).toHaveLength(expected.writes.length)
    for (const [position, write] of expected.writes.entries()) expect(world.writes[position]).toMatch(write)
    const links = (await world.links()).filter((link) => /^p →|^gone →/.test(link))
    expect(links).toHaveLength(expected.linked ? 1 : 0)
    const audited = (await world.audit(run.id)).find((event) => event.situation === situation)
    expect(audited).toMatchObject({ action, status: expected.status })
    if (expected.message) expect(audited?.message).toMatch(expected.message)
  })

  it('NOREPORT leaves no audit entry, and is counted all the same', async () => {
    await using world = await inSituation('CONFIRMED', 'NOREPORT', { external })
    const { run } = await world.run()
    expect(run.statistics.situationSummary.CONFIRMED).toBe(1)
    expect((await world.audit(run.id)).map(({ entryType }) => entryType)).toEqual(['start', 'summary'])
  })

  it('CREATE stores the mapped object and a link to the id that the target gave', async () => {
    await using world = await inSituation('ABSENT', 'CREATE', { external })
    await world.run()
    const [id] = world.writes.map((write) => write.replace('create ', ''))
    expect((await world.all('managed/user'))[id as string]).toMatchObject({ mail: 'ann@x', name: 'Ann' })
    expect(await world.links()).toEqual([`p → ${id}`])
  })

  it('CREATE for MISSING lets the link lead to the new target', async () => {
    await using world = await inSituation('MISSING', 'CREATE', { external })
    await world.run()
    expect(await world.links()).toEqual([`p → ${world.writes[0]?.replace('create ', '')}`])
  })

  it('UPDATE keeps what the mapping does not mention', async () => {
    await using world = await inSituation('CONFIRMED', 'UPDATE', { external })
    await world.run()
    expect((await world.all('managed/user')).u).toEqual({
      _id: 'u',
      mail: 'ann@x',
      name: 'Ann',
      note: 'kept',
    })
  })

  it('UPDATE of a target that another writer changes meanwhile keeps what that one wrote', async () => {
    await using world = await inSituation('CONFIRMED', 'UPDATE', { external })
    world.meanwhile(() => world.change('managed/user/u', { mail: 'old@x', name: 'Old', note: 'theirs' }))
    const { run } = await world.run()
    expect(run.toJSON().statusSummary).toEqual({ SUCCESS: 1, FAILURE: 0 })
    expect((await world.all('managed/user')).u).toEqual({
      _id: 'u',
      mail: 'ann@x',
      name: 'Ann',
      note: 'theirs',
    })
  })

  it('a target write that fails fails its own object only; a link made before an update stays', async () => {
    await using world = await openWorld({
      external,
      mapping: { properties, correlationQuery: correlation, correlateEmptyTargetSet: true },
    })
    await world.persons(
      { _id: 'a', mail: 'a@x', name: 'A' },
      { _id: 'b', mail: 'b@x', name: 'Bea' },
      { _id: 'c', mail: 'c@x', name: 'C' },
    )
    await world.users({ _id: 'u', mail: 'c@x', name: 'Cleo' })
    const { run } = await world.run()
    // The target's schema wants names of two letters.
    expect(run.toJSON().statusSummary).toEqual({ SUCCESS: 1, FAILURE: 2 })
    const failed = (await world.audit(run.id)).filter(({ status }) => status === 'FAILURE')
    expect(failed.map(({ sourceObjectId, message }) => [sourceObjectId, message])).toEqual([
      [
        'managed/person/a',
        expect.stringMatching(/could not create the target: Policy validation failed \(name: MIN_LENGTH\)/),
      ],
      ['managed/person/c', expect.stringMatching(/could not update target u: .*Policy validation failed/)],
    ])
    expect(await world.links()).toEqual([expect.stringMatching(/^b → /), 'c → u'])
    expect((await world.all('managed/user')).u).toMatchObject({ name: 'Cleo' })
  })
})
