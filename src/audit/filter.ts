import type { JsonObject } from '../model/json.ts'
import { getAt, type Pointer } from '../model/pointer.ts'

/** `eventTopics.<topic>.filter` of `conf/audit.json` (platform §9). Absent members do not restrict anything. */
export interface TopicFilter {
  /** In lower case: engine actions for `recon` and `sync`, else operations. */
  readonly actions?: ReadonlySet<string> | undefined
  /** Every field must have one of its values. */
  readonly fields: readonly { readonly pointer: Pointer; readonly values: readonly string[] }[]
  /** Keep only these actions of events that a trigger such as `recon` causes. */
  readonly triggers: ReadonlyMap<string, ReadonlySet<string>>
  /** True keeps the event. */
  readonly script?: JsonObject | undefined
}

export const everyEvent: TopicFilter = { fields: [], triggers: new Map() }

/** Recorded only if a filter names them: they are many, and change nothing. */
const silent: ReadonlySet<string> = new Set(['read', 'query'])

/**
 * Is an event kept? The script of the filter, if any, runs later. Events of the start, the end and the deletion of a
 * run are always kept: run histories are made from them.
 */
export function keeps(topic: string, filter = everyEvent, content: JsonObject): boolean {
  if (isBookkeeping(topic, content)) return true
  const action = actionOf(topic, content)
  if (action !== undefined && !wants(topic, filter, action)) return false
  const trigger = triggerOf(topic, content)
  const allowed = trigger === undefined ? undefined : filter.triggers.get(trigger)
  if (allowed && action !== undefined && !allowed.has(action)) return false
  return filter.fields.every(({ pointer, values }) => values.includes(String(getAt(content, pointer) ?? '')))
}

/** Can an event of this operation be kept? Asked before the event is made. */
export function wants(topic: string, { actions }: TopicFilter = everyEvent, operation: string): boolean {
  const action = operation.toLowerCase()
  return actions ? actions.has(action) : topic !== 'activity' || !silent.has(action)
}

/** Without these events, the result of a run would be unknown. */
export function isBookkeeping(topic: string, { entryType, objectId, operation }: JsonObject): boolean {
  if (topic === 'recon') return entryType === 'start' || entryType === 'summary'
  return (
    topic === 'activity' &&
    operation === 'DELETE' &&
    typeof objectId === 'string' &&
    /^recon\//.test(objectId)
  )
}

/** liveSync does not always know the kind of a change; then it is recorded as an update. */
function actionOf(topic: string, { action, operation, request }: JsonObject): string | undefined {
  const recorded =
    topic === 'recon' || topic === 'sync'
      ? action
      : topic === 'access'
        ? getAt(request, ['operation'])
        : operation
  if (typeof recorded !== 'string') return undefined
  return recorded === 'CREATE_OR_UPDATE' ? 'update' : recorded.toLowerCase()
}

function triggerOf(topic: string, { reconId, triggerSource }: JsonObject): string | undefined {
  if (typeof triggerSource === 'string') return triggerSource
  return topic === 'recon' || typeof reconId === 'string' ? 'recon' : undefined
}
