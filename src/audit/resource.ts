import { type Pattern, patternOf } from '../kit/pattern.ts'
import { timeOrderedId } from '../kit/time-ordered-id.ts'
import { equal } from '../model/equality.ts'
import { asObject, elementsOf, type Json, type JsonObject } from '../model/json.ts'
import { getAt, printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import type { RecordedRun } from '../repository/audit.ts'
import type { Store } from '../repository/repository.ts'
import type {
  RequestContext,
  Resource,
  ResourceAction,
  ResourceProvider,
  Resources,
} from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import { requireEntry } from './entry.ts'
import { removeEvents, writtenByAll } from './retention.ts'
import type { AuditService } from './service.ts'
import { type AuditSettings, handlerClasses } from './settings.ts'
import { openTopics, topics } from './topics.ts'

export interface AuditResources {
  readonly audit: AuditService
  readonly resources: () => Resources
}

/**
 * `audit/{topic}[/{id}]` and the actions of `audit` (platform §9, §2): entries are created, read and queried, never
 * changed.
 */
export function auditProvider({ audit, resources }: AuditResources): ResourceProvider {
  const reading = auditEvents(audit.repository, () => audit.flush())
  return {
    ...reading,
    async query(path, query, request) {
      const { queries, handlers } = audit.trail.settings
      const handler = handlers.find(({ name }) => name === queries)
      if (handler?.kind !== 'router') return reading.query(path, query, request)
      const topic = topicAt(path)
      return resources().query(`${handler.resourcePath}/${topic}`, query, request)
    },
    async create(path, id, content, request) {
      const topic = topicAt(path)
      if (!openTopics.has(topic))
        throw new Problem('FORBIDDEN', `Entries of audit/${topic} are made only by Syncline`)
      return created(audit, topic, id, content, request)
    },
    async action(path, action) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `audit/${path} has no actions; audit has`)
      return perform(audit, action)
    },
  }
}

/**
 * `repo/audit/{topic}[/{id}]`: the stored events, and the commands that remove those of old runs (platform §2).
 */
export function auditStoreProvider({ audit }: Pick<AuditResources, 'audit'>): ResourceProvider {
  const { repository, trail } = audit
  return {
    ...auditEvents(repository, () => audit.flush()),
    async action(path, { name, parameters, content }, request) {
      if (name !== 'command')
        throw new Problem('BAD_REQUEST', `repo/audit has no action "${name}", only "command"`)
      if (path !== 'recon')
        throw new Problem(
          'BAD_REQUEST',
          `Commands remove events of repo/audit/recon, not of repo/audit/${path}`,
        )
      // Scripts written for OpenIDM pass the command's parameters as parameters; others may pass them as content.
      const command = { ...asObject(content), ...parameters }
      const runs = chosenRuns(await repository.audit.recordedRuns(), command)
      if (runs.length === 0) return 0
      return removeEvents(
        repository,
        { topic: 'recon', runs, upTo: await writtenByAll(repository, trail.settings.handlers) },
        { userId: request.userId, transactionId: request.transactionId, reason: String(command.commandId) },
      )
    },
  }
}

/** The events of a store; `flush` stores events that are still waiting. */
export function auditEvents(
  { audit }: Pick<Store, 'audit'>,
  flush: () => Promise<void> = async () => {},
): ResourceProvider & Required<Pick<ResourceProvider, 'read' | 'query'>> {
  return {
    async read(path) {
      const [topic, id] = auditPath(path)
      if (id === undefined)
        throw new Problem('BAD_REQUEST', `audit/${topic} is a set: query it with _queryFilter`)
      await flush()
      const entry = await audit.read(topic, id)
      if (!entry) throw new Problem('NOT_FOUND', `There is no audit entry ${topic}/${id}`)
      return { ...entry, _id: id }
    },
    async query(path, query) {
      const topic = topicAt(path)
      await flush()
      return storePage(await audit.query(topic, storeQuery(query)), asResource)
    },
  }
}

async function created(
  audit: AuditService,
  topic: string,
  asked: string | undefined,
  content: JsonObject,
  request: RequestContext,
): Promise<Resource> {
  const { _id, _rev, ...fields } = content
  if (asked !== undefined && _id !== undefined && _id !== asked)
    throw new Problem(
      'BAD_REQUEST',
      `The entry's _id ${JSON.stringify(_id)} is not the one of the path, "${asked}"`,
    )
  const id = asked ?? (typeof _id === 'string' && _id !== '' ? _id : timeOrderedId())
  const timestamp = typeof fields.timestamp === 'string' ? fields.timestamp : new Date().toISOString()
  const entry: JsonObject = {
    ...{ eventName: topic, transactionId: request.transactionId, userId: request.userId, trackingIds: null },
    ...fields,
    timestamp,
  }
  requireEntry(topic, entry)
  const { repository, trail } = audit
  await repository.audit.append([{ id, topic, timestamp, content: entry }])
  // A filter may have dropped the event. Then the answer is what would have been stored.
  const stored = (await repository.audit.read(topic, id)) ?? trail.shaped(topic, entry)
  return { ...stored, _id: id }
}

async function perform(audit: AuditService, { name, content, parameters }: ResourceAction): Promise<Json> {
  const { settings } = audit.trail
  switch (name) {
    case 'availableHandlers':
      return Object.entries(handlerClasses).map(([name, className]) => ({
        class: className,
        isUsableForQueries: name === 'RepositoryAuditEventHandler' || name === 'RouterAuditEventHandler',
      }))
    case 'rotate':
      await audit.rotate(parameters.handler)
      return { status: 'OK' }
    case 'getChangedWatchedFields':
      return changedFields(settings.watchedFields ?? [], content)
    case 'getChangedPasswordFields':
      return changedFields(settings.passwordFields ?? [['password']], content)
    default:
      throw new Problem(
        'BAD_REQUEST',
        `unknown action ${name} on audit; allowed: availableHandlers, rotate, getChangedWatchedFields, getChangedPasswordFields`,
      )
  }
}

/** The watched fields that differ between the two objects of the request. */
function changedFields(fields: NonNullable<AuditSettings['watchedFields']>, content: Json): Json {
  const { before, after } = asObject(content)
  return fields.filter((field) => !equal(getAt(before, field), getAt(after, field))).map(printPointer)
}

/** The runs that a command removes. Patterns are those of SQL: `%` matches anything. */
function chosenRuns(runs: readonly RecordedRun[], command: JsonObject): readonly string[] {
  const included = pattern(command.includeMapping ?? command.mapping ?? '%')
  const excluded = pattern(command.excludeMapping ?? '')
  const alike = runs.filter(({ mapping }) => included.test(mapping ?? '') && !excluded.test(mapping ?? ''))
  switch (command.commandId) {
    case 'purge-by-recon-number-of': {
      const kept = Number(command.numberOf)
      if (command.numberOf === undefined || !Number.isInteger(kept) || kept < 0)
        throw new Problem(
          'BAD_REQUEST',
          'purge-by-recon-number-of needs numberOf, how many runs are to be kept',
        )
      return alike.slice(0, Math.max(0, alike.length - kept)).map(({ reconId }) => reconId)
    }
    case 'purge-by-recon-expired': {
      const time = Date.parse(String(command.timestamp))
      if (Number.isNaN(time))
        throw new Problem('BAD_REQUEST', 'purge-by-recon-expired needs timestamp, an ISO 8601 time')
      return alike.filter(({ timestamp }) => Date.parse(timestamp) < time).map(({ reconId }) => reconId)
    }
    case 'purge-by-recon-ids-to-keep': {
      const ids = elementsOf(command.reconIds ?? []).flatMap((text) => String(text).split(','))
      const kept = ids.map((id) => id.trim()).filter((id) => id !== '')
      // None at all is rather a list that was not made than the wish to lose everything.
      if (kept.length === 0)
        throw new Problem('BAD_REQUEST', 'purge-by-recon-ids-to-keep needs reconIds, the runs that are kept')
      return alike.map(({ reconId }) => reconId).filter((id) => !kept.includes(id))
    }
    default:
      throw new Problem(
        'BAD_REQUEST',
        `repo/audit/recon has no command ${JSON.stringify(command.commandId ?? '')}; it has purge-by-recon-number-of, purge-by-recon-ids-to-keep and purge-by-recon-expired`,
      )
  }
}

function pattern(like: Json): Pattern {
  const escaped = String(like).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return patternOf(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`, 's')
}

function topicAt(path: string): string {
  const [topic, id] = auditPath(path)
  if (id === undefined) return topic
  const message = `audit/${path} is an entry: it cannot be queried, and nothing is made below it`
  throw new Problem('BAD_REQUEST', message)
}

function auditPath(path: string): readonly [topic: string, id: string | undefined] {
  const [topic, id, ...others] = splitPath(path)
  if (topic === undefined || !topics.has(topic) || others.length > 0) {
    throw new Problem('NOT_FOUND', `There is no audit topic ${path}; topics are ${[...topics].join(', ')}`)
  }
  return [topic, id]
}

/** The port guarantees `_id` in its results. */
function asResource(entry: JsonObject): Resource {
  return entry as Resource
}
