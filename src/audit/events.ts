import { timeOrderedId } from '../kit/time-ordered-id.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { Attempt } from '../router/exchange.ts'

/**
 * The events of the audit, one function for each topic (platform §9, engine §10). Callers pass facts, in which secrets
 * are already masked. The fields that every event has are added here. A field without a value is null, or has the
 * default of the topic.
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

/** The facts of every event. */
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
  /** Why the request failed. */
  readonly reason: string | undefined
  readonly elapsed: number
  readonly roles: readonly string[]
  /** Of an external request: `server`, `client`, `http`. */
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

function authentication(facts: Common & Attempt & { readonly leftOut?: number }): AuditEvent {
  const { username, successful, address, module, reason, leftOut = 0 } = facts
  const info = { ...(reason !== undefined && { reason }), ...(leftOut > 0 && { leftOut }) }
  const result = successful ? 'SUCCESSFUL' : 'FAILED'
  return made('authentication', facts, {
    result,
    principal: [username],
    context: { ipAddress: address },
    entries: [{ moduleId: module, result, info }],
  })
}

export interface ChangeFacts extends Common {
  readonly objectId: string
  readonly operation: string
  readonly before?: JsonObject | null | undefined
  readonly after?: JsonObject | null | undefined
  readonly changedFields?: readonly string[]
  /** The changes by attribute; undefined: not known. */
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
  /** The mapping that did it; its record, under the same transaction, has the values. */
  readonly mapping?: string
}

function activity(facts: ActivityFacts): AuditEvent {
  const { status = 'SUCCESS', message = '', messageDetail, passwordChanged = false, mapping } = facts
  return made('activity', facts, {
    ...changeFields(facts),
    ...{ status, message, passwordChanged },
    ...(mapping !== undefined && { mapping }),
    ...(messageDetail !== undefined && { messageDetail }),
  })
}

function config(facts: ChangeFacts): AuditEvent {
  return made('config', facts, changeFields(facts))
}

/** The facts that `recon` and `sync` share; ids are qualified unless said otherwise. */
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
  /** `policy`, `changes`: our additions to the specification. */
  readonly history: JsonObject
}

/** An operation of a run; the run is the transaction. */
export interface ReconFacts extends Omit<DecisionFacts, 'transactionId'> {
  readonly runId: string
  readonly phase: 'source' | 'target'
}

function reconEntry(facts: ReconFacts): AuditEvent {
  const { id = timeOrderedId(), timestamp = new Date().toISOString(), userId, runId, phase } = facts
  const { mapping, linkQualifier, situation = null, action = null } = facts
  const { sourceObjectId, targetObjectId, ambiguousIds, outcome, history } = facts
  // Each field by its name, as there is one for each object of a run: to spread several objects into one takes much longer.
  const content: JsonObject = {
    eventName: 'recon',
    timestamp,
    transactionId: runId,
    userId,
    trackingIds: null,
    entryType: 'entry',
    reconId: runId,
    reconciling: phase,
    mapping,
    linkQualifier,
    situation,
    action,
    sourceObjectId,
    targetObjectId,
    ambiguousTargetObjectIds: ambiguousIds.join(', '),
    status: outcome.status,
    message: outcome.message,
    messageDetail: outcome.messageDetail,
    exception: outcome.exception,
  }
  return { id, topic: 'recon', timestamp, content: Object.assign(content, history) }
}

/** The start or the end of a run. */
export interface FrameFacts extends Omit<Common, 'transactionId' | 'id'> {
  readonly runId: string
  readonly mapping: string
  readonly entryType: 'start' | 'summary'
  readonly reconAction: string
  readonly status: Status
  readonly message: string
  /** The run, if it has ended. */
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

/** The target id is local; `objectId` is the full path of the target, for its history. */
export interface SyncFacts extends DecisionFacts {
  readonly objectId: string | null
}

function sync(facts: SyncFacts): AuditEvent {
  const { mapping, linkQualifier, situation = null, action = null } = facts
  const { sourceObjectId, targetObjectId, ambiguousIds, outcome, history, objectId } = facts
  return made('sync', facts, {
    ...{ mapping, linkQualifier, situation, action, sourceObjectId, targetObjectId },
    ambiguousTargetObjectIds: ambiguousIds.join(', '),
    ...{ ...outcome, ...history, objectId },
  })
}

/** The store adds the number of removed events. */
function retention(facts: Common & { readonly reason: string }): AuditEvent {
  return made('retention', facts, { reason: facts.reason })
}
