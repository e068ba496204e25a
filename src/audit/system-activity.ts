import { diff } from '../model/diff.ts'
import type { JsonObject } from '../model/json.ts'
import { type Pointer, printPointer } from '../model/pointer.ts'
import { asProblem } from '../model/problem.ts'
import { recordedObject } from '../model/recorded-changes.ts'
import { splitPath } from '../model/resource-path.ts'
import { namesSecret } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { RequestContext, Resource, ResourceProvider } from '../router/resources.ts'
import type { NamesSecret } from './access.ts'
import { type ActivityFacts, auditEvent } from './events.ts'
import type { AuditService } from './service.ts'

export interface ActivityOptions {
  readonly audit: AuditService
  /** `system` or `managed`. */
  readonly root: string
  /** False: the writer records its writes itself, as managed objects do. */
  readonly recordsWrites: boolean
  /** `openidm.audit.logFullObjects`: entries contain the old and the new object (platform §9). */
  readonly fullObjects: boolean
  readonly isSecret: NamesSecret
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/**
 * `audit/activity` of every call that reaches a provider through the router (platform §4.5): from REST, scripts and
 * schedules. Mappings have their own records. Reads and queries are recorded only if a filter names them.
 */
export function recordingActivity(provider: ResourceProvider, options: ActivityOptions): ResourceProvider {
  const recorder = new Recorder(provider, options)
  return {
    ...provider,
    ...recordingReads(provider, recorder),
    ...recordingActions(provider, recorder),
    ...(options.recordsWrites && recordingWrites(provider, recorder)),
  }
}

class Recorder {
  readonly #read: ResourceProvider['read']
  readonly #options: ActivityOptions

  constructor({ read }: ResourceProvider, options: ActivityOptions) {
    this.#read = read
    this.#options = options
  }

  wants(operation: string, request: RequestContext): boolean {
    return isRecorded(request) && this.#options.audit.trail.wants('activity', operation)
  }

  record(operation: string, path: string, request: RequestContext, more: Partial<ActivityFacts> = {}): void {
    if (this.wants(operation, request))
      this.#options.audit.record(event(operation, this.#at(path), request, more))
  }

  /** Does the work and records its success or failure. */
  async write(
    operation: 'CREATE' | 'UPDATE' | 'PATCH' | 'DELETE',
    path: string,
    request: RequestContext,
    touched: readonly string[],
    work: () => Promise<Resource>,
  ): Promise<Resource> {
    if (!this.wants(operation, request)) return work()
    const options = this.#options
    const old = operation === 'CREATE' ? undefined : await this.#before(path, request)
    try {
      const object = await work()
      const after = operation === 'DELETE' ? undefined : object
      const objectId = operation === 'CREATE' ? `${this.#at(path)}/${object._id}` : this.#at(path)
      const facts = changed({ old, after, object, touched }, options)
      await store(event(operation, objectId, request, facts), options)
      return object
    } catch (error) {
      const failed = { status: 'FAILURE', message: asProblem(error).message } as const
      await store(event(operation, this.#at(path), request, failed), options)
      throw error
    }
  }

  /** Read only if entries show it: a system may be slow. */
  async #before(path: string, request: RequestContext): Promise<Resource | undefined> {
    return this.#options.fullObjects ? this.#read?.(path, request).catch(() => undefined) : undefined
  }

  /** The same form as in the records of mappings, so that the history of an object finds both. */
  #at(path: string): string {
    return [this.#options.root, ...splitPath(path)].join('/')
  }
}

function recordingReads({ read, query }: ResourceProvider, recorder: Recorder): ResourceProvider {
  return {
    ...(read && {
      async read(path, request) {
        const object = await read(path, request)
        recorder.record('READ', path, request)
        return object
      },
    }),
    ...(query && {
      async query(path, input, request) {
        const page = await query(path, input, request)
        recorder.record('QUERY', path, request)
        return page
      },
    }),
  }
}

function recordingActions({ action }: ResourceProvider, recorder: Recorder): ResourceProvider {
  if (!action) return {}
  return {
    async action(path, input, request) {
      if (recordedElsewhere.has(input.name)) return action(path, input, request)
      try {
        const value = await action(path, input, request)
        recorder.record('ACTION', path, request, { message: input.name })
        return value
      } catch (error) {
        const message = `${input.name}: ${asProblem(error).message}`
        recorder.record('ACTION', path, request, { status: 'FAILURE', message })
        throw error
      }
    },
  }
}

function recordingWrites(
  { create, update, patch, delete: remove }: ResourceProvider,
  recorder: Recorder,
): ResourceProvider {
  return {
    ...(create && {
      create: (path, id, content, request) =>
        recorder.write('CREATE', path, request, names(content), () => create(path, id, content, request)),
    }),
    ...(update && {
      update: (path, rev, content, request) =>
        recorder.write('UPDATE', path, request, names(content), () => update(path, rev, content, request)),
    }),
    ...(patch && {
      patch(path, rev, operations, request) {
        const touched = operations.map(({ field }) => printPointer(field))
        return recorder.write('PATCH', path, request, touched, () => patch(path, rev, operations, request))
      },
    }),
    ...(remove && {
      delete: (path, rev, request) =>
        recorder.write('DELETE', path, request, [], () => remove(path, rev, request)),
    }),
  }
}

/** liveSync records each change that it synchronizes. A call every few seconds that finds nothing is not an activity. */
const recordedElsewhere: ReadonlySet<string> = new Set(['liveSync', 'activeSync'])

/** False for writes of mappings, which have their own records, and of audit handlers, which are records. */
function isRecorded({ chain }: RequestContext): boolean {
  return chain?.afterwards === undefined && chain?.synchronizes !== false
}

function names(content: JsonObject): readonly string[] {
  return Object.keys(content)
    .filter((name) => name !== '_id' && name !== '_rev')
    .map((name) => printPointer([name]))
}

/** The facts of a write: the fields, and the objects themselves if they are configured. */
function changed(
  {
    old,
    after,
    object,
    touched,
  }: {
    readonly old: Resource | undefined
    readonly after: Resource | undefined
    readonly object: Resource
    readonly touched: readonly string[]
  },
  { fullObjects, isSecret }: ActivityOptions,
): Partial<ActivityFacts> {
  const hides = ([name = '']: Pointer) => isSecret(name)
  const known = fullObjects && after !== undefined
  const changedFields = known
    ? diff(content(old), content(after)).map(({ pointer }) => printPointer(pointer))
    : [...touched]
  return {
    ...(fullObjects && { before: recordedObject(old, hides), after: recordedObject(after, hides) }),
    ...{ changedFields, revision: object._rev },
    passwordChanged: touched.some((field) => namesSecret(field) || isSecret(field.slice(1))),
  }
}

function content(object: Resource | undefined): JsonObject {
  const { _id, _rev, ...rest } = object ?? {}
  return rest
}

function event(
  operation: string,
  objectId: string,
  { userId, transactionId }: RequestContext,
  more: Partial<ActivityFacts>,
): AuditEvent {
  return auditEvent.activity({ userId, transactionId, objectId, operation, ...more })
}

/** The system has already written the object, so an error of the audit must not fail the request. */
async function store(activity: AuditEvent, { audit, log }: ActivityOptions): Promise<void> {
  try {
    await audit.repository.audit.append([activity])
  } catch (error) {
    log(
      'error',
      `audit: what was done to ${activity.content.objectId} is not recorded: ${asProblem(error).message}`,
    )
  }
}
