import { describe, expect, it } from 'vitest'
import { type ActivityFacts, auditEvent } from './events.ts'
import { topicFields } from './topics.ts'

const cause = {
  userId: 'openidm-admin',
  transactionId: 't-1',
  id: 'e-1',
  timestamp: '2026-01-02T03:04:05.000Z',
}
const envelope = (topic: string, transactionId = 't-1') => ({
  ...{ eventName: topic, timestamp: cause.timestamp, transactionId },
  ...{ userId: 'openidm-admin', trackingIds: null },
})
const outcome = { status: 'SUCCESS', message: null, messageDetail: null, exception: null } as const
const decision = {
  ...{ mapping: 'hr_user', linkQualifier: 'default', situation: 'AMBIGUOUS', action: undefined },
  ...{ sourceObjectId: 'system/hr/account/44', targetObjectId: null, ambiguousIds: ['u-3', 'u-8'], outcome },
}
const decided = {
  ...{ mapping: 'hr_user', linkQualifier: 'default', situation: 'AMBIGUOUS', action: null },
  ...{ sourceObjectId: 'system/hr/account/44', targetObjectId: null, ambiguousTargetObjectIds: 'u-3, u-8' },
  ...outcome,
}
const { transactionId: _, ...ofRun } = { ...cause, runId: 'r-1' }
const unchanged = { before: null, after: null, changedFields: [], revision: null }

describe('an audit event (platform §9, engine §10)', () => {
  it.each([
    [
      'a request',
      auditEvent.access({
        ...{ ...cause, operation: 'READ', detail: null, succeeded: true, statusCode: 200, reason: undefined },
        ...{ elapsed: 12.4, roles: ['openidm-admin'], connection: { client: { ip: '10.0.0.1', port: 5 } } },
      }),
      {
        ...envelope('access'),
        client: { ip: '10.0.0.1', port: 5 },
        request: { protocol: 'CREST', operation: 'READ', detail: null },
        response: {
          ...{ status: 'SUCCESSFUL', statusCode: '200', detail: null },
          ...{ elapsedTime: 12, elapsedTimeUnits: 'MILLISECONDS' },
        },
        roles: ['openidm-admin'],
      },
    ],
    [
      'a schedule that failed',
      auditEvent.access({
        ...{ ...cause, operation: 'ScheduledTask', detail: { id: 'night' }, succeeded: false },
        ...{ statusCode: null, reason: 'no such mapping', elapsed: 3, roles: [] },
      }),
      {
        ...envelope('access'),
        request: { protocol: 'CREST', operation: 'ScheduledTask', detail: { id: 'night' } },
        response: {
          ...{ status: 'FAILED', statusCode: null, detail: { reason: 'no such mapping' } },
          ...{ elapsedTime: 3, elapsedTimeUnits: 'MILLISECONDS' },
        },
        roles: [],
      },
    ],
    [
      'credentials',
      auditEvent.authentication({
        ...{ ...cause, username: 'jo', successful: false, address: '10.0.0.1' },
        ...{ module: 'STATIC_USER', reason: 'wrong' },
      }),
      {
        ...envelope('authentication'),
        ...{ result: 'FAILED', principal: ['jo'], context: { ipAddress: '10.0.0.1' } },
        entries: [{ moduleId: 'STATIC_USER', result: 'FAILED', info: { reason: 'wrong' } }],
      },
    ],
    [
      'a change of configuration',
      auditEvent.config({
        ...{ ...cause, objectId: 'config/sync', operation: 'update', before: { a: 1 }, after: { a: 2 } },
        ...{ changedFields: ['/a'], changes: { '/a': { before: 1, after: 2 } }, revision: '2' },
      }),
      {
        ...{ ...envelope('config'), runAs: 'openidm-admin', objectId: 'config/sync', operation: 'UPDATE' },
        ...{ before: { a: 1 }, after: { a: 2 }, changedFields: ['/a'], revision: '2' },
        changes: { '/a': { before: 1, after: 2 } },
      },
    ],
    [
      'an operation of a run',
      auditEvent.reconEntry({ ...ofRun, ...decision, phase: 'source', history: { policy: 0 } }),
      {
        ...{ ...envelope('recon', 'r-1'), entryType: 'entry', reconId: 'r-1', reconciling: 'source' },
        ...{ ...decided, policy: 0 },
      },
    ],
    [
      'the end of a run',
      auditEvent.reconFrame({
        ...{ ...ofRun, mapping: 'hr_user', entryType: 'summary', reconAction: 'recon' },
        ...{ status: 'FAILURE', message: 'ABSENT: 4 ', run: { state: 'FAILED' } },
      }),
      {
        ...{ ...envelope('recon', 'r-1'), entryType: 'summary', reconId: 'r-1', mapping: 'hr_user' },
        ...{
          reconAction: 'recon',
          status: 'FAILURE',
          message: 'ABSENT: 4 ',
          messageDetail: { state: 'FAILED' },
        },
      },
    ],
    [
      'an operation of a synchronization',
      auditEvent.sync({ ...cause, ...decision, objectId: null, history: {} }),
      { ...envelope('sync'), ...decided, objectId: null },
    ],
    [
      'what was removed',
      auditEvent.retention({ ...cause, reason: 'maxAge' }),
      { ...envelope('retention'), reason: 'maxAge' },
    ],
  ])('of %s', (_what, event, content) => {
    const { topic } = event
    expect(event).toEqual({
      ...{ topic, timestamp: cause.timestamp, content },
      id: event.content.entryType === 'summary' ? 'r-1-summary' : 'e-1',
    })
    const known = topicFields[topic]?.map((field) => field.split('.')[0])
    for (const field of Object.keys(event.content)) expect(known).toContain(field)
  })

  it.each<[string, Partial<ActivityFacts>, object]>([
    ['that has nothing else to say', {}, {}],
    ['that failed', { status: 'FAILURE', message: 'no' }, { status: 'FAILURE', message: 'no' }],
    ['with details', { messageDetail: null }, { messageDetail: null }],
    [
      'of a password',
      { changedFields: ['/password'], changes: {}, passwordChanged: true, revision: '3' },
      { changedFields: ['/password'], changes: {}, passwordChanged: true, revision: '3' },
    ],
  ])('of an activity %s', (_what, facts, fields) => {
    const { content } = auditEvent.activity({
      ...cause,
      objectId: 'managed/user/1',
      operation: 'patch',
      ...facts,
    })
    expect(content).toEqual({
      ...{ ...envelope('activity'), runAs: 'openidm-admin', objectId: 'managed/user/1', operation: 'PATCH' },
      ...{ ...unchanged, status: 'SUCCESS', message: '', passwordChanged: false, ...fields },
    })
    for (const field of Object.keys(content)) expect(topicFields.activity).toContain(field)
  })

  it('has an id and a time of its own where none is given', () => {
    const { id, timestamp, content } = auditEvent.retention({
      userId: 'system',
      transactionId: 't',
      reason: 'x',
    })
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(content.timestamp).toBe(timestamp)
    expect(Math.abs(Date.now() - Date.parse(timestamp))).toBeLessThan(60_000)
  })
})
