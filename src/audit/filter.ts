import type { JsonObject } from '../model/json.ts'
import { getAt, type Pointer } from '../model/pointer.ts'

/** `eventTopics.<topic>.filter` of `conf/audit.json` (platform §9). Absent members ask for nothing. */
export interface TopicFilter {
  /** In lower case: engine actions for `recon` and `sync`, else operations. */
  readonly actions?: ReadonlySet<string> | undefined
  /** A field must have one of the values; all of them must. */
  readonly fields: readonly { readonly pointer: Pointer; readonly values: readonly string[] }[]
  /** Of what a trigger such as `recon` causes, only these actions. */
  readonly triggers: ReadonlyMap<string, ReadonlySet<string>>
  /** True keeps the event. */
  readonly script?: JsonObject | undefined
}

export const everyEvent: TopicFilter = { fields: [], triggers: new Map() }

/** Off unless a filter names them: they are many, and change nothing. */
const silent: ReadonlySet<string> = new Set(['read', 'query'])

/**
 * Is an event kept? Its script, if it has one, is asked afterwards. What frames a run, and what says that one was
 * deleted, is always kept: run histories are made of it.
 */
export function keeps(topic: string, filter: TopicFilter, content: JsonObject): boolean {
  if (isBookkeeping(topic, content)) return true
  const action = actionOf(topic, content)
  if (action !== undefined && !acts(topic, filter, action)) return false
  const trigger = triggerOf(topic, content)
  const allowed = trigger === undefined ? undefined : filter.triggers.get(trigger)
  if (allowed && action !== undefined && !allowed.has(action)) return false
  return filter.fields.every(({ pointer, values }) => values.includes(String(getAt(content, pointer) ?? '')))
}

/** Does anybody want to hear of this operation? Asked before an event is made. */
export function wants(topic: string, filter: TopicFilter, operation: string): boolean {
  return acts(topic, filter, operation.toLowerCase())
}

/** Without these, nobody could tell what became of a run. */
export function isBookkeeping(topic: string, { entryType, objectId, operation }: JsonObject): boolean {
  if (topic === 'recon') return entryType === 'start' || entryType === 'summary'
  return (
    topic === 'activity' &&
    operation === 'DELETE' &&
    typeof objectId === 'string' &&
    /^recon\//.test(objectId)
  )
}

function acts(topic: string, { actions }: TopicFilter, action: string): boolean {
  if (actions === undefined) return topic !== 'activity' || !silent.has(action)
  return actions.has(action)
}

/** liveSync does not always know what a change was; it is written as an update. */
function actionOf(topic: string, { action, operation, request }: JsonObject): string | undefined {
  const stated =
    topic === 'recon' || topic === 'sync'
      ? action
      : topic === 'access'
        ? getAt(request, ['operation'])
        : operation
  if (typeof stated !== 'string') return undefined
  return stated === 'CREATE_OR_UPDATE' ? 'update' : stated.toLowerCase()
}

function triggerOf(topic: string, { reconId, triggerSource }: JsonObject): string | undefined {
  if (typeof triggerSource === 'string') return triggerSource
  return topic === 'recon' || typeof reconId === 'string' ? 'recon' : undefined
}
