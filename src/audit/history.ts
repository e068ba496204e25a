import { compileFilter } from '../model/filter/evaluate.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import type { Store } from '../repository/repository.ts'
import type { Resource, ResourceProvider } from '../router/resources.ts'

/**
 * `history/{object path}`, e.g. `history/managed/user/42`: every recorded operation on the object, as source or as
 * target, newest first. It is made from the audit, so it contains only what the audit contains: operations under this
 * id, and nothing from before the first record.
 */
export function historyProvider(store: Store): ResourceProvider {
  return {
    async query(path, { filter, pageSize = defaultPageSize, cookie }) {
      const object = objectIn(path)
      const accepts = compileFilter(filter)
      const result: Resource[] = []
      let next: string | null | undefined = cookie
      do {
        const page = await store.audit.ofObject(object, { limit: pageSize - result.length, cookie: next })
        result.push(
          ...page.result
            .filter((event) => !isToldByMapping(event))
            .map(({ topic, content }) => entryOf(object, topic, content))
            .filter(accepts),
        )
        next = page.cookie
      } while (next !== null && next !== undefined && result.length < pageSize)
      return { result, cookie: next ?? null }
    },
  }
}

const defaultPageSize = 100

/** The record of the mapping tells of the same write, and more. */
function isToldByMapping({
  topic,
  content,
}: {
  readonly topic: string
  readonly content: JsonObject
}): boolean {
  return topic === 'activity' && content.mapping !== undefined
}

/** The path as in the audit: not encoded. Only ids may contain a slash, or one object would have several paths. */
function objectIn(path: string): string {
  const segments = splitPath(path)
  const idAt = segments[0] === 'system' ? 3 : 2
  if (segments.length < 2 || segments.slice(0, idAt).some((segment) => segment.includes('/')))
    throw new Problem('BAD_REQUEST', 'history needs the path of an object: history/managed/user/42')
  return segments.join('/')
}

/** The history entry of one event of any topic. */
function entryOf(path: string, topic: string, content: JsonObject): Resource {
  const { _id, timestamp, userId, status, message, reconId, mapping, linkQualifier } = content
  const isSource = content.sourceObjectId === path
  const isTarget = content.targetObjectId === path || (topic === 'sync' && content.objectId === path)
  const target = topic === 'sync' ? content.objectId : content.targetObjectId
  const other = isSource ? target : content.sourceObjectId
  return {
    _id: String(_id),
    timestamp: timestamp ?? null,
    topic,
    userId: userId ?? null,
    role: isSource ? 'source' : isTarget ? 'target' : 'object',
    ...present({ runId: reconId, mapping, linkQualifier, other }),
    ...present({ situation: content.situation, policy: content.policy }),
    action: content.action ?? content.operation ?? null,
    status: status ?? null,
    ...present({ changes: content.changes ?? content.changedFields }),
    ...present({ message, cause: content.messageDetail }),
  }
}

function present(members: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  ) as JsonObject
}
