/** A single file: parsed, substituted, and checked against the schema of its kind. */

import { type Finding, isWithin, type Place, printPlace } from '../model/finding.ts'
import { asObject, elementsOf, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { notAllowed } from '../model/nearest.ts'
import { type Checked, check } from './check/check.ts'
import type { JsonSchema } from './check/schema.ts'
import { parseFile } from './document.ts'
import { instanceOfId } from './document-id.ts'
import { outsideRoots } from './file-roots.ts'
import { locate as locateFinding } from './locate.ts'
import type { ConfigurationDocument, ConfigurationFile, ConfigurationProblem } from './project.ts'
import { definitions, kindOfId, schemas } from './schemas/kinds.ts'
import { type SubstitutionSources, substitute } from './substitute.ts'

export interface CheckedDocument {
  readonly document: ConfigurationDocument
  readonly problems: readonly ConfigurationProblem[]
}

export interface DocumentSchemas {
  /** By the ids of documents, in addition to those of config/schemas; undefined: they have none. */
  readonly schemas?: readonly { readonly documents: RegExp; readonly schema: JsonSchema | undefined }[]
  /** Of `configurationProperties`, by connector name. Absent: their settings are not checked. */
  readonly connectorSchemas?: Readonly<Record<string, JsonSchema>>
}

export function readDocument(
  { id, file, bytes }: ConfigurationFile,
  sources: SubstitutionSources,
  kinds: DocumentSchemas,
): CheckedDocument {
  const { raw, problems, locate } = parseFile(file, bytes)
  const place = { file, locate }
  if (raw === undefined) return { document: { id, raw, content: undefined, ...place }, problems }
  const { value, failures } = substitute(raw, sources)
  const { findings, conversions } = checkContent(id, raw, asObject(value), kinds, sources.isAllowed)
  const unexpanded = failures.map((failure) => printPlace(failure.place))
  const all = [
    ...problems,
    ...failures.map((failure) => locateFinding(place, failure)),
    // An unexpanded value often has the wrong type too; one report is enough.
    ...findings
      .filter((finding) => !unexpanded.some((pointer) => isWithin(printPlace(finding.place), pointer)))
      .map((finding) => locateFinding(place, finding)),
  ]
  const content = isUnusable(id, all) ? undefined : withValues(asObject(value), conversions)
  return { document: { id, raw, content, ...place }, problems: all }
}

/** Any error drops a file with a single entry; a file with many entries loses only the wrong ones. */
function isUnusable(id: string, problems: readonly ConfigurationProblem[]): boolean {
  return id !== 'sync' && id !== 'managed' && problems.some(({ severity }) => severity === 'error')
}

function checkContent(
  id: string,
  raw: JsonObject,
  content: JsonObject,
  { schemas: more = [], connectorSchemas }: DocumentSchemas,
  isAllowed: (path: string) => boolean,
): Checked {
  const kind = kindOfId(id)
  const own = more.find(({ documents, schema }) => schema && documents.test(id))?.schema
  const schema = kind === undefined ? own : schemas[kind]
  if (!schema) return nothing
  const options = { definitions, written: (place: Place) => valueAt(raw, place) }
  const checked = check(schema, content, [], options)
  if (kind === 'audit') return withFindings(checked, strayFiles(content, logFolders(content), isAllowed))
  if (kind === 'mapping') return withFindings(checked, foreignName(id, content))
  if (kind !== 'provisioner') return checked
  const connector =
    connectorSchemas === undefined ? nothing : checkConnector(content, connectorSchemas, options, isAllowed)
  const all = withFindings(checked, [...defaultName(id, content), ...connector.findings])
  const disabled = withValues(content, all.conversions).enabled === false
  return {
    findings: disabled ? all.findings.map((finding) => ({ ...finding, severity: 'warning' })) : all.findings,
    conversions: [...all.conversions, ...connector.conversions],
  }
}

const nothing: Checked = { findings: [], conversions: [] }

function withFindings({ findings, conversions }: Checked, more: readonly Finding[]): Checked {
  return { findings: [...findings, ...more], conversions }
}

function checkConnector(
  content: JsonObject,
  connectorSchemas: Readonly<Record<string, JsonSchema>>,
  options: Parameters<typeof check>[3],
  isAllowed: (path: string) => boolean,
): Checked {
  const { connectorRef, configurationProperties = {} } = content
  const name = isJsonObject(connectorRef) ? connectorRef.connectorName : undefined
  if (typeof name !== 'string' || !isJsonObject(configurationProperties)) return nothing
  const schema = Object.hasOwn(connectorSchemas, name) ? connectorSchemas[name] : undefined
  if (schema === undefined)
    return { findings: [unknownConnector(name, Object.keys(connectorSchemas))], conversions: [] }
  // An unknown setting would be ignored silently, so each is a warning (platform §4.1).
  const checked = check(
    { ...schema, additionalProperties: false, 'x-open': true },
    configurationProperties,
    ['configurationProperties'],
    options,
  )
  return withFindings(checked, strayFiles(content, filesIn(schema), isAllowed))
}

/** Files that the configuration names and may not. */
function strayFiles(
  content: JsonObject,
  places: readonly Place[],
  isAllowed: (path: string) => boolean,
): readonly Finding[] {
  return places.flatMap((place) => {
    const path = valueAt(content, place)
    if (typeof path !== 'string' || isAllowed(path)) return []
    return [{ place, message: `${place.at(-1)} may not name ${JSON.stringify(path)}: ${outsideRoots}` }]
  })
}

/** A connector's schema marks its settings that name a file with the format `path`. */
function filesIn({ properties = {} }: JsonSchema): readonly Place[] {
  return Object.entries(properties).flatMap(([name, { format }]) =>
    format === 'path' ? [['configurationProperties', name]] : [],
  )
}

function logFolders({ eventHandlers = [] }: JsonObject): readonly Place[] {
  return elementsOf(eventHandlers).map((_, index) => ['eventHandlers', index, 'config', 'logDirectory'])
}

function unknownConnector(found: string, allowed: readonly string[]): Finding {
  const fact = `${JSON.stringify(found)} is not a connector that Syncline has`
  return { place: ['connectorRef', 'connectorName'], ...notAllowed(fact, found, allowed) }
}

function defaultName(id: string, { name }: JsonObject): readonly Finding[] {
  const instance = instanceOfId(id) ?? ''
  if (name !== undefined || /^[A-Za-z0-9]+$/.test(instance)) return []
  const message = `the file name gives the system name ${JSON.stringify(instance)}, which has more than letters and digits; add "name"`
  return [{ place: [], message, found: instance }]
}

function foreignName(id: string, { name }: JsonObject): readonly Finding[] {
  const instance = instanceOfId(id)
  if (name === undefined || name === instance) return []
  const message = `a mapping in a file of its own is named by the file: ${instance}; remove "name", or rename the file`
  return [
    { severity: 'warning', place: ['name'], message, found: JSON.stringify(name), suggestion: instance },
  ]
}

function valueAt(root: Json, place: Place): Json | undefined {
  return place.reduce<Json | undefined>((value, step) => {
    if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined
    return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }, root)
}

/** A copy with some values replaced. */
function withValues(content: JsonObject, values: Checked['conversions']): JsonObject {
  if (values.length === 0) return content
  const copy = structuredClone(content)
  for (const { place, value } of values) {
    const holder = valueAt(copy, place.slice(0, -1))
    const last = place.at(-1)
    if (Array.isArray(holder) && typeof last === 'number') holder[last] = value
    if (isJsonObject(holder) && typeof last === 'string') holder[last] = value
  }
  return copy
}
