import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { administrator, openWorld } from '../testing/world.ts'

/** In which order a run does what it does, and how many run at once (engine §7.2, §7.3). */
const properties = [{ source: 'name', target: 'name' }]
const ann = { _id: 'p1', name: 'Ann', mail: 'ann@x' }

/** Logs its name, and which audit entries and how many targets there are at this moment. */
function seeing(name: string, value = 'null'): JsonObject {
  return script(`
    var entries = openidm.query('audit/recon', { _queryFilter: 'true' }).result;
    var users = openidm.query('managed/user', { _queryFilter: 'true' }).result;
    logger.info('${name}: ' + entries.map(function (entry) { return entry.entryType }).join(' ') + ', ' + users.length);
    ${value}`)
}

describe('a run', () => {
  it('goes from onRecon through start, both phases and result to the summary', async () => {
    const said: string[] = []
    const mapping = {
      properties,
      onRecon: seeing('onRecon'),
      validSource: seeing('source phase', 'true'),
      validTarget: seeing('target phase', 'true'),
      result: seeing('result'),
    }
    await using world = await openWorld({ mapping, onSaid: (line) => said.push(line) })
    await world.persons(ann)
    await world.users({ _id: 'u9', name: 'Nobody', mail: 'no@x' })
    const { run } = await world.run()
    expect(said).toEqual([
      'onRecon: , 1',
      'source phase: start, 1',
      'target phase: start entry, 2',
      'result: start entry entry, 2',
    ])
    expect((await world.audit(run.id)).map(({ entryType }) => entryType)).toEqual([
      'start',
      'entry',
      'entry',
      'summary',
    ])
  })

  it('that is cancelled or fails runs its result script all the same; one with an empty source does not', async () => {
    const said: string[] = []
    const result = script("logger.info('result: ' + reconState.state)")
    const onSaid = (line: string) => said.push(line)
    await using world = await openWorld({ mapping: { properties, result }, onSaid })
    await world.persons(ann)
    const cancelled = await world.reconciliations.start({ mapping: 'person_user' }, administrator)
    cancelled.run.cancel()
    await cancelled.done
    expect([cancelled.run.state, said]).toEqual(['CANCELED', ['result: ACTIVE']])

    said.length = 0
    const linkQualifiers = script("throw new Error('no qualifiers')")
    await using failing = await openWorld({ mapping: { properties, result, linkQualifiers }, onSaid })
    await failing.persons(ann)
    expect((await failing.run()).run.state).toBe('FAILED')
    expect(said).toHaveLength(1)

    said.length = 0
    await using empty = await openWorld({ mapping: { properties, result }, onSaid })
    expect((await empty.run()).run.state).toBe('FAILED')
    expect(said).toEqual([])
  })

  it('waits where ten are running already', async () => {
    const slow = script('var end = Date.now() + 30; while (Date.now() < end); true')
    await using world = await openWorld({ mapping: { properties, validSource: slow } })
    await world.persons(...Array.from({ length: 12 }, (_, index) => ({ ...ann, _id: `p${index}` })))
    const started = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        world.reconciliations.start({ mapping: 'person_user', sourceId: `p${index}` }, administrator),
      ),
    )
    const stages = started.map(({ run }) => run.stage)
    expect(stages.slice(10)).toEqual(['ACTIVE_INITIALIZED', 'ACTIVE_INITIALIZED'])
    await Promise.all(started.map(({ done }) => done))
    expect(started.map(({ run }) => run.state)).toEqual(Array(12).fill('SUCCESS'))
    expect(await world.links()).toHaveLength(12)
  })
})

describe('a qualifier that the script does not name among all', () => {
  it('is worked for its source, and its link is found again', async () => {
    const linkQualifiers = script("if (returnAll) { ['a'] } else { ['a', 'forgotten'] }")
    await using world = await openWorld({ mapping: { properties, linkQualifiers } })
    await world.persons(ann)
    expect((await world.run()).situations).toEqual(['source p1: ABSENT CREATE', 'source p1: ABSENT CREATE'])
    expect((await world.run()).situations).toEqual([
      'source p1: CONFIRMED UPDATE',
      'source p1: CONFIRMED UPDATE',
    ])
    expect(await world.links()).toHaveLength(2)
  })
})

describe('a correlation script', () => {
  it('that answers with objects in part does not erase the rest of them', async () => {
    const correlationScript = script(`
      openidm.query('managed/user', { _queryFilter: 'mail eq "' + source.mail + '"', _fields: '_id,mail' }).result`)
    await using world = await openWorld({ mapping: { properties, correlationScript } })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Annie', note: 'kept' })
    expect((await world.run()).situations).toEqual(['source p1: FOUND UPDATE'])
    expect((await world.all('managed/user')).u1).toMatchObject({ name: 'Ann', note: 'kept' })
  })
})
