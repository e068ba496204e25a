import { isAbsolute, join } from 'node:path'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { JsonLinesSettings } from './json-lines.ts'
import { topics } from './topics.ts'

/** What `conf/audit.json` asks for, and what of it does not happen. */
export interface AuditConfiguration {
  readonly handlers: readonly JsonLinesSettings[]
  /** Place and what is wrong, or has no effect. */
  readonly warnings: readonly { readonly place: readonly (string | number)[]; readonly fact: string }[]
}

/** The repository's handler is always there; of the others, those that write lines of JSON are. */
export function readAuditConfiguration(content: JsonObject, projectFolder: string): AuditConfiguration {
  const stated = Array.isArray(content.eventHandlers) ? content.eventHandlers : []
  const handlers: JsonLinesSettings[] = []
  const warnings: AuditConfiguration['warnings'][number][] = []
  stated.forEach((handler, index) => {
    const place = ['eventHandlers', index]
    const { class: className, config } = isJsonObject(handler) ? handler : {}
    const kind =
      String(className ?? '')
        .split('.')
        .at(-1) ?? ''
    const settings = isJsonObject(config) ? config : {}
    if (settings.enabled === false) return
    if (/^(Repository|Router)AuditEventHandler$/i.test(kind)) return
    if (/^JsonAuditEventHandler$/i.test(kind)) handlers.push(jsonLines(settings, index, projectFolder))
    else
      warnings.push({
        place: [...place, 'class'],
        fact: `there is no audit handler ${kind || 'without a class'}; its events are in the repository only`,
      })
  })
  for (const name of ['filterPolicies', 'exceptionFormatter'])
    if (isJsonObject(content[name]) && Object.keys(content[name]).length > 0)
      warnings.push({ place: [name], fact: `${name} has no effect: secrets are masked without it` })
  return { handlers, warnings }
}

function jsonLines(config: JsonObject, index: number, projectFolder: string): JsonLinesSettings {
  const { name, logDirectory, fileRotation, fileRetention } = config
  const folder = typeof logDirectory === 'string' && logDirectory !== '' ? logDirectory : 'audit'
  const rotation = isJsonObject(fileRotation) && fileRotation.rotationEnabled !== false ? fileRotation : {}
  const retention = isJsonObject(fileRetention) ? fileRetention : {}
  return {
    name: typeof name === 'string' ? name : `json-${index}`,
    folder: isAbsolute(folder) ? folder : join(projectFolder, folder),
    topics: new Set(
      Array.isArray(config.topics) ? config.topics.map(String).filter((one) => topics.has(one)) : topics,
    ),
    maxFileSize: positive(rotation.maxFileSize),
    keptFiles: positive(retention.maxNumberOfHistoryFiles),
  }
}

/** 0 and less mean no limit, as there. */
function positive(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}
