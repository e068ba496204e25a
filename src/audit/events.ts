import { v7 as timeOrderedId } from 'uuid'
import type { Json, JsonObject } from '../model/json.ts'
import type { AuditEvent } from '../repository/repository.ts'

/**
 * The events of the audit, one maker a topic (platform §9, engine §10). Callers give facts, whose secrets are masked already; what
 * an event has in any case is put around them here. A field that has nothing to say is null, or what the topic says instead.
 */
export const auditEvent = {
  access,
  authentication,
  activity,
  config,
  reconFrame,
  reconEntry,
  sync,
  retention,
}

/** Of every event. */
interface Common {
  readonly userId: string | null
  readonly transactionId: string
  /** Undefined: a new one. */
  readonly id?: string | undefined
  /** ISO 8601; undefined: now. */
  readonly timestamp?: string | undefined
}

type Status = 'SUCCESS' | 'FAILURE'

function made(topic: string, facts: Common, fields: JsonObject): AuditEvent {
  const { userId, transactionId, id = timeOrderedId(), timestamp = new Date().toISOString() } = facts
  const content = { eventName: topic, timestamp, transactionId, userId, trackingIds: null, ...fields }
  return { id, topic, timestamp, content }
}

export interface AccessFacts extends Common {
  readonly operation: string
  readonly detail: JsonObject | null
  readonly succeeded: boolean
  /** Null: it has none. */
  readonly statusCode: number | null
  /** Why it failed. */
  readonly reason: string | undefined
  readonly elapsed: number
  readonly roles: readonly string[]
  /** Of a request from outside: `server`, `client`, `http`. */
  readonly connection?: JsonObject
}

function access(facts: AccessFacts): AuditEvent {
  const { operation, detail, succeeded, statusCode, reason, elapsed, roles, connection = {} } = facts
  return made('access', facts, {
    ...connection,
    request: { protocol: 'CREST', operation, detail },
    response: {
      status: succeeded ? 'SUCCESSFUL' : 'FAILED',
      statusCode: statusCode === null ? null : String(statusCode),
      detail: reason === undefined ? null : { reason },
      elapsedTime: Math.round(elapsed),
      elapsedTimeUnits: 'MILLISECONDS',
    },
    roles: [...roles],
  })
}

export interface AuthenticationFacts extends Common {
  readonly principal: string
  readonly succeeded: boolean
  readonly ipAddress: string
  readonly module: string
  readonly reason: string | undefined
}

function authentication(facts: AuthenticationFacts): AuditEvent {
  const { principal, succeeded, ipAddress, module, reason } = facts
  const result = succeeded ? 'SUCCESSFUL' : 'FAILED'
  return made('authentication', facts, {
    result,
    principal: [principal],
    context: { ipAddress },
    entries: [{ moduleId: module, result, info: reason === undefined ? {} : { reason } }],
  })
}

interface ChangeFacts extends Common {
  readonly objectId: string
  readonly operation: string
  readonly before?: JsonObject | null
  readonly after?: JsonObject | null
  readonly changedFields?: readonly string[]
  /** Attribute by attribute; undefined: not known. */
  readonly changes?: JsonObject
  readonly revision?: Json | undefined
}

function changeFields(facts: ChangeFacts): JsonObject {
  const { userId, objectId, operation, before = null, after = null } = facts
  const { changedFields = [], changes, revision = null } = facts
  return {
    ...{ runAs: userId, objectId, operation: operation.toUpperCase(), before, after },
    changedFields: [...changedFields],
    ...(changes && { changes }),
    revision,
  }
}

export interface ActivityFacts extends ChangeFacts {
  readonly status?: Status
  readonly message?: string
  /** Undefined: there is none to expect. */
  readonly messageDetail?: Json
  readonly passwordChanged?: boolean
}

function activity(facts: ActivityFacts): AuditEvent {
  const { status = 'SUCCESS', message = '', messageDetail, passwordChanged = false } = facts
  return made('activity', facts, {
    ...changeFields(facts),
    ...{ status, message, passwordChanged },
    ...(messageDetail !== undefined && { messageDetail }),
  })
}

function config(facts: ChangeFacts): AuditEvent {
  return made('config', facts, changeFields(facts))
}

/** What `recon` and `sync` have in common. */
interface DecisionFacts extends Common {
  readonly mapping: string
  readonly linkQualifier: string
  readonly situation: string | undefined
  readonly action: string | undefined
  readonly sourceObjectId: string | null
  readonly targetObjectId: string | null
  readonly ambiguousIds: readonly string[]
  readonly outcome: {
    readonly status: Status
    readonly message: string | null
    readonly messageDetail: Json
    readonly exception: string | null
  }
  /** `policy`, `changes`: beyond the specification. */
  readonly history: JsonObject
}

function decisionFields(facts: DecisionFacts): JsonObject {
  const { mapping, linkQualifier, situation = null, action = null } = facts
  const { sourceObjectId, targetObjectId, ambiguousIds, outcome, history } = facts
  return {
    ...{ mapping, linkQualifier, situation, action, sourceObjectId, targetObjectId },
    ambiguousTargetObjectIds: ambiguousIds.join(', '),
    ...outcome,
    ...history,
  }
}

/** An operation of a run, which is its own transaction. Both ids are qualified. */
export interface ReconFacts extends Omit<DecisionFacts, 'transactionId'> {
  readonly runId: string
  readonly phase: 'source' | 'target'
}

function reconEntry(facts: ReconFacts): AuditEvent {
  const { runId, phase } = facts
  const common = { ...facts, transactionId: runId }
  const entry = { entryType: 'entry', reconId: runId, reconciling: phase }
  return made('recon', common, { ...entry, ...decisionFields(common) })
}

/** The start or the end of a run. */
export interface FrameFacts extends Omit<Common, 'transactionId' | 'id'> {
  readonly runId: string
  readonly mapping: string
  readonly entryType: 'start' | 'summary'
  readonly reconAction: string
  readonly status: Status
  readonly message: string
  /** The run, when it has ended. */
  readonly run?: JsonObject
}

function reconFrame(facts: FrameFacts): AuditEvent {
  const { runId, mapping, entryType, reconAction, status, message, run } = facts
  return made(
    'recon',
    { ...facts, id: `${runId}-${entryType}`, transactionId: runId },
    {
      ...{ entryType, reconId: runId, mapping, reconAction, status, message },
      ...(run && { messageDetail: run }),
    },
  )
}

/** The id of the source is qualified, that of the target is local; `objectId` is the target in full, for its history. */
export interface SyncFacts extends DecisionFacts {
  readonly objectId: string | null
}

function sync(facts: SyncFacts): AuditEvent {
  return made('sync', facts, { ...decisionFields(facts), objectId: facts.objectId })
}

/** What was removed is counted by the store, which adds it. */
function retention(facts: Common & { readonly reason: string }): AuditEvent {
  return made('retention', facts, { reason: facts.reason })
}
