import { isAbsolute, join } from 'node:path'
import type { Finding, Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { asProblem } from '../model/problem.ts'
import { duration } from './duration.ts'
import type { TopicFilter } from './filter.ts'
import { noPolicies, type Policies, type Policy } from './policies.ts'
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

export type HandlerSettings = FileHandlerSettings | StdoutSettings | RouterSettings

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

export interface StdoutSettings extends Common {
  readonly kind: 'stdout'
}

export interface RouterSettings extends Common {
  readonly kind: 'router'
  /** Events are created below it: `<resourcePath>/<topic>`. */
  readonly resourcePath: string
}

export const defaultSettings: AuditSettings = {
  ...{ handlers: [], queries: undefined, filters: new Map(), policies: noPolicies },
  ...{ watchedFields: undefined, passwordFields: undefined, retention: new Map() },
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
  const warn: Warn = (place, message) => {
    warnings.push({ severity: 'warning', place, message })
  }
  const handlers = list(content.eventHandlers).flatMap(
    (handler, index) => readHandler(object(handler), index, projectFolder, warn) ?? [],
  )
  const service = object(content.auditServiceConfig)
  const eventTopics = object(content.eventTopics)
  for (const name of Object.keys(eventTopics))
    if (!topics.has(name)) warn(['eventTopics', name], `there is no audit topic ${name}`)
  const activity = object(eventTopics.activity)
  const policies = isJsonObject(content.filterPolicies)
    ? { place: ['filterPolicies'], value: content.filterPolicies }
    : { place: ['auditServiceConfig', 'filterPolicies'], value: object(service.filterPolicies) }
  const settings: AuditSettings = {
    handlers,
    queries: queriedHandler(service.handlerForQueries, handlers, list(content.eventHandlers), warn),
    filters: new Map(
      [...topics].flatMap((topic) => {
        const { filter } = object(eventTopics[topic])
        return isJsonObject(filter)
          ? [[topic, readFilter(filter, ['eventTopics', topic, 'filter'], warn)]]
          : []
      }),
    ),
    policies: {
      field: readPolicy(object(policies.value.field), [...policies.place, 'field'], warn),
      value: readPolicy(object(policies.value.value), [...policies.place, 'value'], warn),
    },
    watchedFields: pointers(activity.watchedFields, ['eventTopics', 'activity', 'watchedFields'], warn),
    passwordFields: pointers(activity.passwordFields, ['eventTopics', 'activity', 'passwordFields'], warn),
    retention: readRetention(object(content.retention), warn),
  }
  return { settings, warnings }
}

/** What is wrong, or has no effect. */
type Warn = (place: Place, message: string) => void

function readHandler(
  { class: className, config }: JsonObject,
  index: number,
  projectFolder: string,
  warn: Warn,
): HandlerSettings | undefined {
  const place = ['eventHandlers', index]
  const kind = shortName(className)
  const settings = object(config)
  if (kind === 'RepositoryAuditEventHandler') {
    if (settings.enabled === false)
      warn(
        [...place, 'config', 'enabled'],
        'the repository keeps all events that are not filtered: the other handlers are fed from it',
      )
    else if (
      Array.isArray(settings.topics) &&
      [...openTopics].some((topic) => !list(settings.topics).includes(topic))
    )
      warn(
        [...place, 'config', 'topics'],
        'the repository keeps the events of all topics: filters and retention say what it need not keep',
      )
    return undefined
  }
  if (settings.enabled === false) return undefined
  const common = {
    name: text(settings.name) ?? `handler-${index}`,
    topics: readTopics(settings.topics, [...place, 'config', 'topics'], warn),
  }
  switch (kind) {
    case 'JsonAuditEventHandler':
      return { ...common, kind: 'json', ...readFiles(settings, projectFolder, [...place, 'config'], warn) }
    case 'CsvAuditEventHandler':
      return { ...common, kind: 'csv', ...readFiles(settings, projectFolder, [...place, 'config'], warn) }
    case 'JsonStdoutAuditEventHandler':
      return { ...common, kind: 'stdout' }
    case 'RouterAuditEventHandler': {
      const resourcePath = text(settings.resourcePath)?.replace(/^\/|\/$/g, '')
      if (resourcePath && !/^audit(\/|$)/.test(resourcePath))
        return { ...common, kind: 'router', resourcePath }
      warn(
        [...place, 'config', 'resourcePath'],
        'a router handler needs a resourcePath, and not that of the audit',
      )
      return undefined
    }
    default:
      warn(
        [...place, 'class'],
        `there is no audit handler ${kind || 'without a class'}; its events are in the repository only`,
      )
      return undefined
  }
}

/** The end of the class name in our spelling, or the name itself. */
function shortName(className: Json | undefined): string {
  const end =
    String(className ?? '')
      .split('.')
      .at(-1) ?? ''
  return Object.keys(handlerClasses).find((known) => known.toLowerCase() === end.toLowerCase()) ?? end
}

function readTopics(configured: Json | undefined, place: Place, warn: Warn): ReadonlySet<string> {
  if (!Array.isArray(configured)) return topics
  configured.forEach((one, index) => {
    if (!topics.has(String(one))) warn([...place, index], `there is no audit topic ${JSON.stringify(one)}`)
  })
  return new Set(configured.map(String).filter((one) => topics.has(one)))
}

function readFiles(config: JsonObject, projectFolder: string, place: Place, warn: Warn) {
  const folder = text(config.logDirectory) ?? 'audit'
  const security = object(config.security)
  const formatting = object(config.formatting)
  return {
    folder: isAbsolute(folder) ? folder : join(projectFolder, folder.replace(/^&\{idm\.data\.dir\}\/?/, '')),
    rotation: readRotation(object(config.fileRotation), [...place, 'fileRotation'], warn),
    kept: readFileRetention(object(config.fileRetention), [...place, 'fileRetention'], warn),
    format: {
      quote: character(formatting.quoteChar) ?? '"',
      delimiter: character(formatting.delimiterChar) ?? ',',
      newline: text(formatting.endOfLineSymbols) ?? '\n',
    },
    evident: security.enabled === true || security.enabled === 'true',
  }
}

function readRotation(config: JsonObject, place: Place, warn: Warn): Rotation {
  if (config.rotationEnabled === false) return {}
  const times = list(config.rotationTimes).flatMap((time, index) => {
    const read = time === 'disabled' ? null : duration(typeof time === 'string' ? timeOfDay(time) : time)
    if (read === null && time !== 'disabled')
      warn(
        [...place, 'rotationTimes', index],
        `${JSON.stringify(time)} is no time: "02:00" and "2 hours" are`,
      )
    return typeof read === 'number' ? [read] : time === '00:00' || time === '0 hours' ? [0] : []
  })
  return {
    maxFileSize: positive(config.maxFileSize),
    interval: span(config.rotationInterval, [...place, 'rotationInterval'], warn),
    ...(times.length > 0 && { times }),
  }
}

function timeOfDay(configured: string): string {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(configured) ?? []
  return hours === undefined ? configured : `${hours} hours, ${minutes} minutes`
}

function readFileRetention(config: JsonObject, place: Place, warn: Warn): FileRetention {
  return {
    maxFiles: positive(config.maxNumberOfHistoryFiles),
    maxDiskSpace: positive(config.maxDiskSpaceToUse),
    minFreeSpace: positive(config.minFreeSpaceRequired),
    maxAge: span(config.maxAge, [...place, 'maxAge'], warn),
  }
}

function readFilter(config: JsonObject, place: Place, warn: Warn): TopicFilter {
  const lower = (value: Json | undefined) => new Set(list(value).map((one) => String(one).toLowerCase()))
  const fields = list(config.fields).flatMap((one, index) => {
    const { name, values } = object(one)
    const [pointer] = pointers([name ?? null], [...place, 'fields', index, 'name'], warn) ?? []
    return pointer ? [{ pointer, values: list(values).map(String) }] : []
  })
  return {
    actions: Array.isArray(config.actions) ? lower(config.actions) : undefined,
    fields,
    triggers: new Map(
      Object.entries(object(config.triggers)).map(([name, actions]) => [name, lower(actions)]),
    ),
    script: isJsonObject(config.script) ? config.script : undefined,
  }
}

function readPolicy(config: JsonObject, place: Place, warn: Warn): Policy {
  const read = (name: 'includeIf' | 'excludeIf') =>
    (pointers(config[name], [...place, name], warn) ?? []).filter((pointer, index) => {
      if (topics.has(pointer[0] ?? '')) return true
      warn(
        [...place, name, index],
        'a pointer of a policy begins with a topic, e.g. /access/http/request/headers/host',
      )
      return false
    })
  return { includeIf: read('includeIf'), excludeIf: read('excludeIf') }
}

function readRetention(config: JsonObject, warn: Warn): ReadonlyMap<string, Retention> {
  const result = new Map<string, Retention>()
  for (const [topic, configured] of Object.entries(config)) {
    if (topic !== '*' && !topics.has(topic)) {
      warn(['retention', topic], `there is no audit topic ${topic}`)
      continue
    }
    const { maxAge, maxEvents } = object(configured)
    const rule = {
      maxAge: span(maxAge, ['retention', topic, 'maxAge'], warn),
      maxEvents: typeof maxEvents === 'number' && maxEvents >= 0 ? maxEvents : undefined,
    }
    // An entry for a topic overrides the entry for all topics.
    for (const one of topic === '*' ? topics : [topic])
      if (topic !== '*' || !Object.hasOwn(config, one)) result.set(one, rule)
  }
  return result
}

function queriedHandler(
  configured: Json | undefined,
  handlers: readonly HandlerSettings[],
  declared: readonly Json[],
  warn: Warn,
): string | undefined {
  const name = text(configured)
  if (name === undefined) return undefined
  const handler = handlers.find((one) => one.name === name)
  if (handler?.kind === 'router') return name
  const place = ['auditServiceConfig', 'handlerForQueries']
  if (handler) warn(place, `queries are answered by the repository, which has everything that ${name} writes`)
  else if (!declared.some((one) => object(object(one).config).name === name))
    warn(place, `there is no event handler ${name}; queries are answered by the repository`)
  return undefined
}

function pointers(configured: Json | undefined, place: Place, warn: Warn): readonly Pointer[] | undefined {
  if (!Array.isArray(configured)) return undefined
  return configured.flatMap((one, index) => {
    try {
      if (typeof one === 'string') return [parsePointer(one)]
      warn([...place, index], `${JSON.stringify(one)} is no pointer`)
    } catch (error) {
      warn([...place, index], asProblem(error).message)
    }
    return []
  })
}

function span(configured: Json | undefined, place: Place, warn: Warn): number | undefined {
  const read = duration(configured)
  if (read !== null) return read
  warn(place, `${JSON.stringify(configured)} is no duration: "90 days" is`)
  return undefined
}

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function character(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value.length === 1 ? value : undefined
}

/** 0 and less mean no limit, as in OpenIDM. */
function positive(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}
