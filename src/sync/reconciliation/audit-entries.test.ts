import { describe, expect, it } from 'vitest'
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
})
