import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { parseSortKeys } from '../../model/sort.ts'
import { reconciliationProvider } from '../resources/recon.ts'
import { administrator, openWorld, target, type World } from '../testing/world.ts'

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]

/** People whose names of one letter the target refuses, and one whose script throws. */
async function people(mapping: JsonObject = {}): Promise<World> {
  const validSource = {
    type: 'text/javascript',
    source: "if (source.note === 'broken') throw 'broken'; true",
  }
  const world = await openWorld({ mapping: { properties, validSource, ...mapping } })
  await world.persons(
    { _id: 'p1', mail: '1@x', name: 'Anna' },
    { _id: 'p2', mail: '2@x', name: 'B' },
    { _id: 'p3', mail: '3@x', name: 'C' },
    { _id: 'p4', mail: '4@x', name: 'Dora', note: 'broken' },
  )
  return world
}

const mend = (world: World, id: string, content: JsonObject) =>
  world.change(`managed/person/${id}`, { mail: `${id[1]}@x`, ...content })

const providerOf = ({ reconciliations, repository }: World) =>
  reconciliationProvider({
    ...{ reconciliations, repository, mappings: () => [] },
    rehearse: () => Promise.reject(new Error('nothing is rehearsed here')),
  })

const rest = (world: World, path: string, name: string, parameters = {}, content: JsonObject | null = null) =>
  providerOf(world).action?.(
    path,
    { name, parameters: { waitForCompletion: 'true', ...parameters }, content },
    administrator,
  )

describe('what failed in a run', () => {
  it('is counted by cause, with an example and what to do', async () => {
    await using world = await people()
    const { run } = await world.run()
    expect(run.toJSON()).toMatchObject({
      ...{ state: 'SUCCESS', outcome: 'COMPLETED_WITH_FAILURES', kind: 'recon' },
      failures: [
        {
          ...{ count: 2, code: 'POLICY_FAILED', message: expect.stringContaining('name: MIN_LENGTH') },
          ...{ example: { phase: 'source', sourceId: 'p2' }, hint: expect.any(String) },
        },
        { count: 1, code: 'SCRIPT_FAILED', example: { sourceId: 'p4' } },
      ],
    })
  })

  it('is tried again alone, and all that is tried again is on record', async () => {
    await using world = await people()
    const { run } = await world.run()
    await mend(world, 'p2', { name: 'Bob' })
    await mend(world, 'p1', { name: 'Annabel' })
    const again = await world.run({ retry: { runId: run.id } })
    expect(again.situations).toEqual([
      'source p2: ABSENT CREATE',
      'source p3: ABSENT CREATE',
      'source p4: null null',
    ])
    expect(again.run.toJSON()).toMatchObject({
      ...{ kind: 'retry', outcome: 'COMPLETED_WITH_FAILURES', parameters: { retryOf: run.id } },
      failures: [{ count: 1 }, { count: 1 }],
    })
    const third = await world.run({ retry: { runId: again.run.id } })
    expect(third.situations).toEqual(['source p3: ABSENT CREATE', 'source p4: null null'])
    expect(
      Object.values(await world.all(target))
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['Anna', 'Bob'])
  })

  it('may be tried again by cause or by id, over REST as well', async () => {
    await using world = await people()
    const { run } = await world.run()
    const [policies, scripts] = run.statistics.failures
    await mend(world, 'p4', { name: 'Dora' })
    await mend(world, 'p2', { name: 'Bob' })
    expect(await rest(world, run.id, 'retry', { cause: scripts?.cause })).toMatchObject({
      ...{ state: 'SUCCESS', outcome: 'COMPLETED' },
    })
    expect(
      await rest(world, run.id, 'retry', {}, { cause: policies?.cause ?? '', ids: ['p3'] }),
    ).toMatchObject({
      ...{ outcome: 'COMPLETED_WITH_FAILURES', failures: [{ count: 1 }] },
    })
    expect(
      Object.values(await world.all(target))
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['Anna', 'Dora'])
  })

  it('is worked as gone if its source is gone meanwhile', async () => {
    await using world = await people()
    const { run } = await world.run()
    await world.remove('managed/person/p2')
    const again = await world.run({ retry: { runId: run.id, ids: ['p2'] } })
    expect(again.run.state).toBe('SUCCESS')
    expect(again.entries).toMatchObject([{ sourceId: 'p2', writes: false }])
  })

  it('in the target phase is tried again, too', async () => {
    const onDelete = { type: 'text/javascript', source: "if (target.note === 'kept') throw 'kept'" }
    const policies = [{ situation: 'UNASSIGNED', action: 'DELETE' }]
    await using world = await people({ onDelete, policies, validSource: undefined as never })
    await world.users({ _id: 'u8', mail: '8@x', note: 'kept' }, { _id: 'u9', mail: '9@x' })
    const { run } = await world.run()
    expect(run.statistics.failures).toMatchObject([{ count: 2 }, { example: { targetId: 'u8' } }])
    await world.change('managed/user/u8', { mail: '8@x' })
    const again = await world.run({ retry: { runId: run.id, ids: ['u8'] } })
    expect(again.situations).toEqual(['target u8: UNASSIGNED DELETE'])
    expect(await world.all(target)).not.toHaveProperty('u8')
  })

  it.each([['of a run that there is no record of', { runId: 'none' }, 'NOT_FOUND']])(
    'cannot be tried again %s',
    async (_, retry, code) => {
      await using world = await people()
      await expect(world.run({ retry })).rejects.toMatchObject({ code })
      await expect(rest(world, retry.runId, 'retry')).rejects.toMatchObject({ code })
    },
  )

  it('may be nothing: then nothing is done', async () => {
    await using world = await openWorld({ mapping: { properties } })
    await world.persons({ _id: 'p1', mail: '1@x', name: 'Anna' })
    const { run } = await world.run()
    const again = await world.run({ retry: { runId: run.id } })
    expect([again.run.outcome, again.situations]).toEqual(['COMPLETED', []])
  })
})

describe('a run in which too many objects fail', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    ['more than the caller allows', {}, { maxFailures: '2' }, 'FAILED'],
    ['more than the mapping allows', { maxFailures: 1 }, {}, 'FAILED'],
    ['any, where none may', {}, { maxFailures: 0 }, 'FAILED'],
    ['as many as may', { maxFailures: 0 }, { maxFailures: 3 }, 'COMPLETED_WITH_FAILURES'],
  ])('%s', async (_, mapping, overrides, outcome) => {
    await using world = await people({ ...mapping, taskThreads: 1 })
    const { run } = await world.run({ overrides })
    expect(run.outcome).toBe(outcome)
    if (outcome === 'FAILED')
      expect(run.toJSON().failure).toMatchObject({
        ...{
          code: 409,
          problem: 'TOO_MANY_FAILURES',
          message: expect.stringMatching(/stopped, because \d objects/),
        },
      })
  })

  it('is not stopped where it only plans', async () => {
    await using world = await people()
    const { run } = await world.run({ analyze: true, overrides: { maxFailures: 0 } })
    expect(run.outcome).toBe('COMPLETED_WITH_FAILURES')
  })

  it.each(['some', -1, 1.5, ''])('needs a limit that is a number: %j', async (maxFailures) => {
    await using world = await people()
    await expect(world.run({ overrides: { maxFailures } })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('runs over REST', () => {
  it('say that the one object of a run does not exist', async () => {
    await using world = await people()
    expect(await rest(world, '', 'reconById', { mapping: 'person_user', id: 'none' })).toMatchObject({
      ...{ state: 'FAILED', outcome: 'FAILED' },
      failure: { problem: 'EMPTY_SOURCE', message: expect.stringContaining('there is no object "none"') },
    })
  })

  it('can be queried, sorted and paged', async () => {
    await using world = await people()
    const ids: string[] = []
    for (const sourceId of ['p1', 'p2', 'p3']) ids.push((await world.run({ sourceId })).run.id)
    const provider = providerOf(world)
    const query = (filter: string, more = {}) =>
      provider.query?.('', { filter: parseFilter(filter), ...more }, administrator)
    const found = await query('outcome eq "COMPLETED_WITH_FAILURES"')
    expect(found?.result.map(({ _id }) => _id)).toEqual(ids.slice(1))
    const sortKeys = parseSortKeys('-started,-_id')
    const first = await query('kind eq "reconById"', { sortKeys, pageSize: 2, totalPolicy: 'EXACT' })
    expect([first?.result.map(({ _id }) => _id), first?.total]).toEqual([ids.toReversed().slice(0, 2), 3])
    const rest = await query('kind eq "reconById"', { sortKeys, pageSize: 2, cookie: first?.cookie })
    expect(rest?.result.map(({ _id }) => _id)).toEqual([ids[0]])
  })
})
