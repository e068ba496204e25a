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
    ...recordingCalls(provider, recorder),
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

  record(operation: string, path: string, request: RequestContext, more: Partial<ActivityFacts> = {}): void {
    if (this.#wants(operation, request))
      this.#options.audit.record(this.#event(operation, this.#at(path), request, more))
  }

  /** Does the work and records its success or failure. `touched`: the fields that it writes. */
  async write(
    operation: 'CREATE' | 'UPDATE' | 'PATCH' | 'DELETE',
    path: string,
    request: RequestContext,
    touched: readonly string[],
    work: () => Promise<Resource>,
  ): Promise<Resource> {
    if (!this.#wants(operation, request)) return work()
    const old = operation === 'CREATE' ? undefined : await this.#before(path, request)
    try {
      const object = await work()
      const facts = this.#facts(old, operation === 'DELETE' ? undefined : object, touched)
      const objectId = operation === 'CREATE' ? `${this.#at(path)}/${object._id}` : this.#at(path)
      await this.#store(this.#event(operation, objectId, request, { ...facts, revision: object._rev }))
      return object
    } catch (error) {
      const failed = { status: 'FAILURE', message: asProblem(error).message } as const
      await this.#store(this.#event(operation, this.#at(path), request, failed))
      throw error
    }
  }

  /** False for writes of mappings, which have their own records, and of audit handlers, which are records. */
  #wants(operation: string, { chain }: RequestContext): boolean {
    const isRecorded = chain?.takeFollowUp === undefined && chain?.synchronizes !== false
    return isRecorded && this.#options.audit.trail.wants('activity', operation)
  }

  /** Read only if entries show it: a system may be slow. */
  async #before(path: string, request: RequestContext): Promise<Resource | undefined> {
    return this.#options.fullObjects ? this.#read?.(path, request).catch(() => undefined) : undefined
  }

  /** The same form as in the records of mappings, so that the history of an object finds both. */
  #at(path: string): string {
    return [this.#options.root, ...splitPath(path)].join('/')
  }

  #event(
    operation: string,
    objectId: string,
    { userId, transactionId }: RequestContext,
    more: Partial<ActivityFacts>,
  ): AuditEvent {
    return auditEvent.activity({ userId, transactionId, objectId, operation, ...more })
  }

  /** The fields of a write, and the objects themselves if they are configured. */
  #facts(
    old: Resource | undefined,
    after: Resource | undefined,
    touched: readonly string[],
  ): Partial<ActivityFacts> {
    const { fullObjects, isSecret } = this.#options
    const passwordChanged = touched.some((field) => namesSecret(field) || isSecret(field.slice(1)))
    if (!fullObjects) return { changedFields: touched, passwordChanged }
    const hides = ([name = '']: Pointer) => isSecret(name)
    return {
      ...{ before: recordedObject(old, hides), after: recordedObject(after, hides), passwordChanged },
      changedFields: after
        ? diff(content(old), content(after)).map(({ pointer }) => printPointer(pointer))
        : touched,
    }
  }

  /** The system has already written the object, so an error of the audit must not fail the request. */
  async #store(activity: AuditEvent): Promise<void> {
    const { audit, log } = this.#options
    try {
      await audit.repository.audit.append([activity])
    } catch (error) {
      const { objectId } = activity.content
      log('error', `audit: what was done to ${objectId} is not recorded: ${asProblem(error).message}`)
    }
  }
}

function recordingCalls({ read, query, action }: ResourceProvider, recorder: Recorder): ResourceProvider {
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
    ...(action && {
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
    }),
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

function names(content: JsonObject): readonly string[] {
  return Object.keys(content)
    .filter((name) => name !== '_id' && name !== '_rev')
    .map((name) => printPointer([name]))
}

function content(object: Resource | undefined): JsonObject {
  const { _id, _rev, ...rest } = object ?? {}
  return rest
}
