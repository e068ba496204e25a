import { diff } from '../model/diff.ts'
import type { JsonObject } from '../model/json.ts'
import { type Pointer, printPointer } from '../model/pointer.ts'
import { asProblem } from '../model/problem.ts'
import { recordedObject } from '../model/recorded-changes.ts'
import { splitPath } from '../model/resource-path.ts'
import { namesSecret } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/repository.ts'
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
  const { audit, root, recordsWrites } = options
  const { read, query, create, update, patch, delete: remove, action } = provider
  // The same form as in the records of mappings, so that the history of an object finds both.
  const at = (path: string) => [root, ...splitPath(path)].join('/')
  const record = (
    operation: string,
    objectId: string,
    request: RequestContext,
    more: Partial<ActivityFacts> = {},
  ) => audit.record(event(operation, objectId, request, more))

  /** Does the work and records its success or failure. */
  async function recordWrite(
    operation: 'CREATE' | 'UPDATE' | 'PATCH' | 'DELETE',
    path: string,
    request: RequestContext,
    touched: readonly string[],
    work: () => Promise<Resource>,
  ): Promise<Resource> {
    if (!isRecorded(request) || !audit.trail.wants('activity', operation)) return work()
    const old = operation === 'CREATE' ? undefined : await before(path, request)
    try {
      const object = await work()
      const after = operation === 'DELETE' ? undefined : object
      const objectId = operation === 'CREATE' ? `${at(path)}/${object._id}` : at(path)
      await store(
        event(operation, objectId, request, changed({ old, after, object, touched }, options)),
        options,
      )
      return object
    } catch (error) {
      const failed = { status: 'FAILURE', message: asProblem(error).message } as const
      await store(event(operation, at(path), request, failed), options)
      throw error
    }
  }

  /** Read only if entries show it: a system may be slow. */
  async function before(path: string, request: RequestContext): Promise<Resource | undefined> {
    return options.fullObjects ? read?.(path, request).catch(() => undefined) : undefined
  }

  return {
    ...provider,
    ...(read && {
      async read(path, request) {
        const object = await read(path, request)
        if (isRecorded(request) && audit.trail.wants('activity', 'READ')) record('READ', at(path), request)
        return object
      },
    }),
    ...(query && {
      async query(path, input, request) {
        const page = await query(path, input, request)
        if (isRecorded(request) && audit.trail.wants('activity', 'QUERY')) record('QUERY', at(path), request)
        return page
      },
    }),
    ...(action && {
      async action(path, input, request) {
        const recordAction = (more: Partial<ActivityFacts>) => {
          if (recordedElsewhere.has(input.name) || !isRecorded(request)) return
          if (audit.trail.wants('activity', 'ACTION')) record('ACTION', at(path), request, more)
        }
        try {
          const value = await action(path, input, request)
          recordAction({ message: input.name })
          return value
        } catch (error) {
          recordAction({ status: 'FAILURE', message: `${input.name}: ${asProblem(error).message}` })
          throw error
        }
      },
    }),
    ...(recordsWrites && {
      ...(create && {
        create: (path, id, content, request) =>
          recordWrite('CREATE', path, request, names(content), () => create(path, id, content, request)),
      }),
      ...(update && {
        update: (path, rev, content, request) =>
          recordWrite('UPDATE', path, request, names(content), () => update(path, rev, content, request)),
      }),
      ...(patch && {
        patch: (path, rev, operations, request) =>
          recordWrite(
            'PATCH',
            path,
            request,
            operations.map(({ field }) => printPointer(field)),
            () => patch(path, rev, operations, request),
          ),
      }),
      ...(remove && {
        delete: (path, rev, request) =>
          recordWrite('DELETE', path, request, [], () => remove(path, rev, request)),
      }),
    }),
  } satisfies ResourceProvider
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
