import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { script } from '../../testing/script.ts'
import { openWorld } from '../testing/world.ts'

/** What a run writes into `audit/recon`, field by field (engine §10). */
const text = expect.any(String)

describe('the audit of a run', () => {
  it('has a start, an entry an operation, and a summary with the run in it', async () => {
    await using world = await openWorld({
      mapping: {
        properties: [{ source: 'name', target: 'name' }],
        correlationQuery: script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q"),
        policies: [{ situation: 'ABSENT', action: 'CREATE' }],
      },
    })
    await world.persons({ _id: 'p1', mail: 'ann@x', name: 'Ann' }, { _id: 'p2', mail: 'two@x', name: 'Two' })
    await world.users({ _id: 'u1', mail: 'two@x', name: 'Twin' }, { _id: 'u2', mail: 'two@x', name: 'Twin' })
    const { run } = await world.run()
    const shared = {
      ...{ _id: text, eventName: 'recon', transactionId: run.id, timestamp: text },
      ...{ userId: 'openidm-admin', trackingIds: null, reconId: run.id, mapping: 'person_user' },
    }
    const frame = { ...shared, reconAction: 'recon', status: 'SUCCESS' }
    const entry = {
      ...{ ...shared, entryType: 'entry', reconciling: 'source', linkQualifier: 'default' },
      ...{ status: 'SUCCESS', messageDetail: null, exception: null },
    }
    expect(await world.audit(run.id)).toEqual([
      { ...frame, entryType: 'start', message: 'Reconciliation initiated by openidm-admin' },
      {
        ...{ ...entry, situation: 'ABSENT', action: 'CREATE', sourceObjectId: 'managed/person/p1' },
        ...{ targetObjectId: expect.stringMatching(/^managed\/user\/./), ambiguousTargetObjectIds: '' },
        // The last two are Syncline's own: which policy decided, and what was written.
        ...{ message: null, policy: 0, changes: { '/name': { after: 'Ann' } } },
      },
      {
        ...{ ...entry, situation: 'AMBIGUOUS', action: 'EXCEPTION', sourceObjectId: 'managed/person/p2' },
        ...{ targetObjectId: null, ambiguousTargetObjectIds: 'u1, u2' },
        message: expect.stringMatching(/^Situation AMBIGUOUS marked as EXCEPTION: it may be \S+, \S+$/),
      },
      {
        ...{ ...frame, entryType: 'summary', messageDetail: run.toJSON() },
        message: expect.stringMatching(/^CONFIRMED: 0 .*ABSENT: 1 AMBIGUOUS: 1 /),
      },
    ])
  })

  it('are joined by those of the managed objects that the run writes: who, which mapping, which run', async () => {
    const properties = [{ source: 'name', target: 'name' }]
    const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
    await using world = await openWorld({ mapping: { properties, policies } })
    await world.persons({ _id: 'p1', name: 'Ann' }, { _id: 'p2', name: 'Bob' })
    const activities = async (runId: string) => {
      const query = { filter: parseFilter(`transactionId eq "${runId}"`) }
      return (await world.repository.audit.query('activity', query)).result
    }
    const first = await world.run()
    const common = {
      userId: 'openidm-admin',
      runAs: 'openidm-admin',
      mapping: 'person_user',
      status: 'SUCCESS',
    }
    const created = { ...common, operation: 'CREATE', before: null, after: null, changedFields: ['/name'] }
    expect(await activities(first.run.id)).toMatchObject([created, created])
    await world.change('managed/person/p1', { name: 'Anna' })
    await world.remove('managed/person/p2')
    const second = await world.run()
    expect(await activities(second.run.id)).toMatchObject([
      { ...common, operation: 'UPDATE', changedFields: ['/name'] },
      { ...common, operation: 'DELETE' },
    ])
    const third = await world.run()
    expect(await activities(third.run.id)).toEqual([])
  })
})
