import { isAbsolute, join } from 'node:path'
import type { Finding } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import { duration } from './duration.ts'
import type { TopicFilter } from './filter.ts'
import type { Policies, Policy } from './policies.ts'
import { Setting } from './setting.ts'
import { openTopics, topics } from './topics.ts'

/** The settings of `conf/audit.json` (platform §9). */
export interface AuditSettings {
  readonly handlers: readonly HandlerSettings[]
  /** The name of the handler that answers queries; undefined: the repository. */
  readonly queries: string | undefined
  readonly filters: ReadonlyMap<string, TopicFilter>
  readonly policies: Policies
  /** The fields that `changedFields` of activities may list; undefined: all. */
  readonly watchedFields: readonly Pointer[] | undefined
  /** The fields whose change sets `passwordChanged`; undefined: `password`. */
  readonly passwordFields: readonly Pointer[] | undefined
  readonly retention: ReadonlyMap<string, Retention>
}

/** How long the repository keeps the events of a topic. */
export interface Retention {
  /** ms */
  readonly maxAge: number | undefined
  readonly maxEvents: number | undefined
}

export type HandlerSettings = FileHandlerSettings | (Common & OtherHandler)

type OtherHandler =
  | { readonly kind: 'stdout' }
  /** Events are created below the path: `<resourcePath>/<topic>`. */
  | { readonly kind: 'router'; readonly resourcePath: string }

interface Common {
  readonly name: string
  readonly topics: ReadonlySet<string>
}

export interface FileHandlerSettings extends Common {
  readonly kind: 'json' | 'csv'
  /** One file for each topic: `<folder>/recon.audit.json`, `<folder>/recon.csv`. */
  readonly folder: string
  readonly rotation: Rotation
  readonly kept: FileRetention
  /** CSV: how fields are written. */
  readonly format: { readonly quote: string; readonly delimiter: string; readonly newline: string }
  /** CSV: a column holds a keyed hash of each row and the row before it. */
  readonly evident: boolean
}

/** When a file is archived; absent members: never. */
export interface Rotation {
  /** Bytes. */
  readonly maxFileSize?: number | undefined
  /** ms since the file was begun. */
  readonly interval?: number | undefined
  /** ms since midnight (UTC), each day. */
  readonly times?: readonly number[] | undefined
}

/** Which archived files are kept for each topic; absent members: all. */
export interface FileRetention {
  readonly maxFiles?: number | undefined
  /** The total of all archived files, in bytes. */
  readonly maxDiskSpace?: number | undefined
  /** The free disk space to keep, in bytes. */
  readonly minFreeSpace?: number | undefined
  /** ms */
  readonly maxAge?: number | undefined
}

/** The classes of handlers, by the ends of their names, as `availableHandlers` lists them. */
export const handlerClasses: Readonly<Record<string, string>> = {
  RepositoryAuditEventHandler: 'org.forgerock.openidm.audit.impl.RepositoryAuditEventHandler',
  JsonAuditEventHandler: 'org.forgerock.audit.handlers.json.JsonAuditEventHandler',
  CsvAuditEventHandler: 'org.forgerock.audit.handlers.csv.CsvAuditEventHandler',
  JsonStdoutAuditEventHandler: 'org.forgerock.audit.handlers.json.stdout.JsonStdoutAuditEventHandler',
  RouterAuditEventHandler: 'org.forgerock.openidm.audit.impl.RouterAuditEventHandler',
}

export function readSettings(
  content: JsonObject,
  projectFolder: string,
): { readonly settings: AuditSettings; readonly warnings: readonly Finding[] } {
  const warnings: Finding[] = []
  const document = new Setting(content, [], warnings)
  const service = document.at('auditServiceConfig')
  const eventTopics = document.at('eventTopics')
  const activity = eventTopics.at('activity')
  const declared = document.at('eventHandlers').list
  const handlers = declared.flatMap((handler, index) => readHandler(handler, index, projectFolder) ?? [])
  for (const name of eventTopics.names)
    if (!topics.has(name)) eventTopics.at(name).warn(`there is no audit topic ${name}`)
  const policies = (document.at('filterPolicies').object ? document : service).at('filterPolicies')
  const filterOf = (topic: string) => eventTopics.at(topic).at('filter')
  const filtered = [...topics].filter((topic) => filterOf(topic).object)
  const settings: AuditSettings = {
    handlers,
    queries: queriedHandler(service.at('handlerForQueries'), handlers, declared),
    filters: new Map(filtered.map((topic) => [topic, readFilter(filterOf(topic))])),
    policies: { field: readPolicy(policies.at('field')), value: readPolicy(policies.at('value')) },
    watchedFields: activity.at('watchedFields').pointers,
    passwordFields: activity.at('passwordFields').pointers,
    retention: readRetention(document.at('retention')),
  }
  return { settings, warnings }
}

function readHandler(handler: Setting, index: number, projectFolder: string): HandlerSettings | undefined {
  const kind = shortName(String(handler.at('class').value ?? ''))
  const config = handler.at('config')
  const enabled = config.at('enabled')
  if (kind === 'RepositoryAuditEventHandler') return readRepository(enabled, config.at('topics'))
  if (enabled.value === false) return undefined
  const common = {
    name: config.at('name').text ?? `handler-${index}`,
    topics: readTopics(config.at('topics')),
  }
  switch (kind) {
    case 'JsonAuditEventHandler':
      return { ...common, kind: 'json', ...readFiles(config, projectFolder) }
    case 'CsvAuditEventHandler':
      return { ...common, kind: 'csv', ...readFiles(config, projectFolder) }
    case 'JsonStdoutAuditEventHandler':
      return { ...common, kind: 'stdout' }
    case 'RouterAuditEventHandler': {
      const path = config.at('resourcePath')
      const resourcePath = path.text?.replace(/^\/|\/$/g, '')
      return resourcePath && !/^audit(\/|$)/.test(resourcePath)
        ? { ...common, kind: 'router', resourcePath }
        : path.warn('a router handler needs a resourcePath, and not that of the audit')
    }
    default:
      return handler
        .at('class')
        .warn(`there is no audit handler ${kind || 'without a class'}; its events are in the repository only`)
  }
}

/** The repository is no handler: it keeps everything. */
function readRepository(enabled: Setting, kept: Setting): undefined {
  if (enabled.value === false)
    return enabled.warn(
      'the repository keeps all events that are not filtered: the other handlers are fed from it',
    )
  if (Array.isArray(kept.value) && [...openTopics].some((topic) => !kept.texts.includes(topic)))
    return kept.warn(
      'the repository keeps the events of all topics: filters and retention say what it need not keep',
    )
}

/** The end of the class name in our spelling, or the name itself. */
function shortName(className: string): string {
  const end = className.slice(className.lastIndexOf('.') + 1)
  return Object.keys(handlerClasses).find((known) => known.toLowerCase() === end.toLowerCase()) ?? end
}

function readTopics(configured: Setting): ReadonlySet<string> {
  if (!Array.isArray(configured.value)) return topics
  for (const one of configured.list)
    if (!topics.has(String(one.value))) one.warn(`there is no audit topic ${JSON.stringify(one.value)}`)
  return new Set(configured.texts.filter((one) => topics.has(one)))
}

function readFiles(config: Setting, projectFolder: string) {
  const folder = config.at('logDirectory').text ?? 'audit'
  const formatting = config.at('formatting')
  const { value: evident } = config.at('security').at('enabled')
  const kept = config.at('fileRetention')
  return {
    folder: isAbsolute(folder) ? folder : join(projectFolder, folder.replace(/^&\{idm\.data\.dir\}\/?/, '')),
    rotation: readRotation(config.at('fileRotation')),
    kept: {
      maxFiles: kept.at('maxNumberOfHistoryFiles').limit,
      maxDiskSpace: kept.at('maxDiskSpaceToUse').limit,
      minFreeSpace: kept.at('minFreeSpaceRequired').limit,
      maxAge: kept.at('maxAge').duration,
    },
    format: {
      quote: formatting.at('quoteChar').character ?? '"',
      delimiter: formatting.at('delimiterChar').character ?? ',',
      newline: formatting.at('endOfLineSymbols').text ?? '\n',
    },
    evident: evident === true || evident === 'true',
  }
}

function readRotation(config: Setting): Rotation {
  if (config.at('rotationEnabled').value === false) return {}
  const times = config.at('rotationTimes').list.flatMap((time) => readTime(time) ?? [])
  return {
    maxFileSize: config.at('maxFileSize').limit,
    interval: config.at('rotationInterval').duration,
    ...(times.length > 0 && { times }),
  }
}

/** ms since midnight */
function readTime(time: Setting): number | undefined {
  const { value } = time
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(String(value)) ?? []
  const read = duration(hours === undefined ? value : `${hours} hours, ${minutes} minutes`)
  if (read === null) return time.warn(`${JSON.stringify(value)} is no time: "02:00" and "2 hours" are`)
  return read ?? (value === '00:00' || value === '0 hours' ? 0 : undefined)
}

function readFilter(config: Setting): TopicFilter {
  const lower = (setting: Setting) => new Set(setting.texts.map((one) => one.toLowerCase()))
  const [actions, triggers] = [config.at('actions'), config.at('triggers')]
  return {
    actions: Array.isArray(actions.value) ? lower(actions) : undefined,
    fields: config.at('fields').list.flatMap((one) => {
      const { pointer } = one.at('name')
      return pointer ? [{ pointer, values: one.at('values').texts }] : []
    }),
    triggers: new Map(triggers.names.map((name) => [name, lower(triggers.at(name))])),
    script: config.at('script').object,
  }
}

function readPolicy(config: Setting): Policy {
  const read = (name: keyof Policy) =>
    config.at(name).list.flatMap((one) => {
      const { pointer } = one
      if (pointer && !topics.has(pointer[0] ?? ''))
        one.warn('a pointer of a policy begins with a topic, e.g. /access/http/request/headers/host')
      return pointer && topics.has(pointer[0] ?? '') ? [pointer] : []
    })
  return { includeIf: read('includeIf'), excludeIf: read('excludeIf') }
}

function readRetention(config: Setting): ReadonlyMap<string, Retention> {
  const result = new Map<string, Retention>()
  for (const topic of config.names) {
    const configured = config.at(topic)
    if (topic !== '*' && !topics.has(topic)) {
      configured.warn(`there is no audit topic ${topic}`)
      continue
    }
    const { value: maxEvents } = configured.at('maxEvents')
    const rule = {
      maxAge: configured.at('maxAge').duration,
      maxEvents: typeof maxEvents === 'number' && maxEvents >= 0 ? maxEvents : undefined,
    }
    // An entry for a topic overrides the entry for all topics.
    for (const one of topic === '*' ? topics : [topic])
      if (topic !== '*' || !config.names.includes(one)) result.set(one, rule)
  }
  return result
}

function queriedHandler(
  configured: Setting,
  handlers: readonly HandlerSettings[],
  declared: readonly Setting[],
): string | undefined {
  const name = configured.text
  if (name === undefined) return undefined
  const handler = handlers.find((one) => one.name === name)
  if (handler?.kind === 'router') return name
  if (handler)
    return configured.warn(`queries are answered by the repository, which has everything that ${name} writes`)
  if (declared.some((one) => one.at('config').at('name').value === name)) return undefined
  return configured.warn(`there is no event handler ${name}; queries are answered by the repository`)
}

/** Those of an empty document. */
export const defaultSettings: AuditSettings = readSettings({}, '').settings
