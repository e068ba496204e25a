/** One file on its own: parsed, substituted, and checked against the schema of its kind. */
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Checked, check } from './check/check.ts'
import type { Finding } from './check/finding.ts'
import type { JsonSchema } from './check/schema.ts'
import { parseFile } from './document.ts'
import { instanceOfId } from './document-id.ts'
import { nearest } from './nearest.ts'
import { isWithin, type Place, printPlace } from './place.ts'
import { locateProblem } from './problem.ts'
import type { ConfigurationDocument, ConfigurationFile, ConfigurationProblem } from './project.ts'
import { definitions, kindOfId, schemas } from './schemas/kinds.ts'
import { type SubstitutionSources, substitute } from './substitute.ts'

export interface CheckedDocument {
  readonly document: ConfigurationDocument
  readonly problems: readonly ConfigurationProblem[]
}

export function readDocument(
  { id, file, bytes }: ConfigurationFile,
  sources: SubstitutionSources,
  connectorSchemas: Readonly<Record<string, JsonSchema>> | undefined,
): CheckedDocument {
  const { raw, problems, locate } = parseFile(file, bytes)
  const place = { file, locate }
  if (raw === undefined) return { document: { id, raw, content: undefined, ...place }, problems }
  const { value, failures } = substitute(raw, sources)
  const { findings, conversions } = checkContent(id, raw, asObject(value), connectorSchemas)
  const unexpanded = failures.map((failure) => printPlace(failure.place))
  const all = [
    ...problems,
    ...failures.map(({ place: where, message }) => locateProblem(place, where, message)),
    // What could not be expanded is the wrong type as well; saying so twice helps nobody.
    ...findings
      .filter((finding) => !unexpanded.some((pointer) => isWithin(printPlace(finding.place), pointer)))
      .map(({ place: where, message, ...facts }) => locateProblem(place, where, message, facts)),
  ]
  const content = isUnusable(id, all) ? undefined : withValues(asObject(value), conversions)
  return { document: { id, raw, content, ...place }, problems: all }
}

/** A file that is one entry is lost by any error; files with many entries lose only the entries concerned. */
function isUnusable(id: string, problems: readonly ConfigurationProblem[]): boolean {
  return id !== 'sync' && id !== 'managed' && problems.some(({ severity }) => severity === 'error')
}

/** The substitution of an object is one, unless a file is nothing but a coercion. */
function asObject(value: Json): JsonObject {
  return isJsonObject(value) ? value : {}
}

function checkContent(
  id: string,
  raw: JsonObject,
  content: JsonObject,
  connectorSchemas: Readonly<Record<string, JsonSchema>> | undefined,
): Checked {
  const kind = kindOfId(id)
  if (kind === undefined) return { findings: [], conversions: [] }
  const options = { definitions, written: (place: Place) => valueAt(raw, place) }
  const checked = check(schemas[kind], content, [], options)
  if (kind === 'mapping') return withFindings(checked, foreignName(id, content))
  if (kind !== 'provisioner') return checked
  const connector =
    connectorSchemas === undefined ? nothing : checkConnector(content, connectorSchemas, options)
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
): Checked {
  const { connectorRef, configurationProperties = {} } = content
  const name = isJsonObject(connectorRef) ? connectorRef.connectorName : undefined
  if (typeof name !== 'string' || !isJsonObject(configurationProperties)) return nothing
  const schema = Object.hasOwn(connectorSchemas, name) ? connectorSchemas[name] : undefined
  if (schema === undefined)
    return { findings: [unknownConnector(name, Object.keys(connectorSchemas))], conversions: [] }
  // An unknown setting would be ignored silently, so each is a warning (platform §4.1).
  return check(
    { ...schema, additionalProperties: false },
    configurationProperties,
    ['configurationProperties'],
    options,
  )
}

function unknownConnector(found: string, allowed: readonly string[]): Finding {
  const suggestion = nearest(found, allowed)
  const meant = suggestion === undefined ? '.' : `; did you mean ${suggestion}?`
  const message = `${JSON.stringify(found)} is not a connector that Syncline has${meant} Allowed: ${allowed.join(', ')}`
  return { place: ['connectorRef', 'connectorName'], message, found, allowed, suggestion }
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
