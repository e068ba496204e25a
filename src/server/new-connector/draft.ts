import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { editedText } from '../../config/live/edit-text.ts'
import type { Project } from '../../config/project.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import { mappingSkeleton } from './mapping.ts'
import { chosenTypes } from './object-types.ts'
import type { NewSettings } from './settings.ts'
import type { Template } from './templates.ts'

export interface NewConnector {
  readonly name: string
  readonly template: Template
  readonly settings: NewSettings
}

/** The project that gets the connector, and who asks. */
export interface Asker {
  readonly project: Project
  readonly resources: Resources
  readonly administrator: RequestContext
}

/** A file as it is to be. */
export interface DraftFile {
  /** Relative to the project. */
  readonly file: string
  readonly text: string
}

export interface Draft {
  readonly files: readonly DraftFile[]
  /** The name of the new mapping; absent: none was added. */
  readonly mapping: string | undefined
  /** What a person still has to say or to know, each in a sentence. */
  readonly notes: readonly string[]
}

/** The answer of a test: `ok`, `error` and `steps`. */
export type Tested = JsonObject

/** BAD_REQUEST for a name that cannot be taken; nothing is reached. */
export function requireFreeName(name: string, { connectors, documents }: Project): void {
  if (!/^[A-Za-z0-9]+$/.test(name))
    throw new Problem('BAD_REQUEST', `"${name}" is no name for a system: use letters and digits`)
  const id = `provisioner.openicf/${name}`
  const taken =
    connectors.find((one) => one.name === name)?.document ?? documents.find((one) => one.id === id)
  if (taken)
    throw new Problem(
      'BAD_REQUEST',
      `There is a connector ${name} already, in ${taken.file}: choose another name`,
    )
}

export function configurationOf({ name, template: { kind }, settings }: NewConnector): JsonObject {
  const { connectorName, bundleName, bundleVersion } = kind
  return {
    name,
    connectorRef: { connectorName, bundleName, bundleVersion },
    configurationProperties: settings.properties,
  }
}

/** The steps of a test, as `system?_action=testConfig` takes them. */
export async function testDraft(connector: NewConnector, asker: Asker): Promise<Tested> {
  return asObject(await ask('testConfig', configurationOf(connector), asker))
}

/** What the files of the project would be, once the connector has been asked what its system has. */
export async function draftConnector(connector: NewConnector, asker: Asker): Promise<Draft> {
  const { configuration, full } = await fullConfiguration(configurationOf(connector), asker)
  const { objectTypes, notes } = chosenTypes(asObject(full.objectTypes))
  const findings = asObject(full.discovery).findings
  const found = Array.isArray(findings)
    ? findings.filter(isJsonObject).map(({ message }) => String(message))
    : []
  const file = `conf/provisioner.openicf-${connector.name}.json`
  const hasSchemas = existsSync(join(asker.project.folder, 'schemas', 'provisioner.json'))
  const $schema = hasSchemas ? { $schema: '../schemas/provisioner.json' } : {}
  const text = editedText(undefined, { ...$schema, ...configuration, objectTypes })
  const mapped = await withMapping(connector.name, objectTypes, asker.project)
  return {
    files: [{ file, text }, ...(mapped.file ? [mapped.file] : [])],
    mapping: mapped.mapping,
    notes: [...found, ...notes, ...mapped.notes],
  }
}

/** With the settings that suit the system, where none were given. */
async function fullConfiguration(
  given: JsonObject,
  asker: Asker,
): Promise<{ readonly configuration: JsonObject; readonly full: JsonObject }> {
  const full = asObject(await ask('createFullConfig', given, asker))
  const recommended = asObject(asObject(full.discovery).recommended)
  if (Object.keys(recommended).length === 0) return { configuration: given, full }
  const settings = { ...asObject(given.configurationProperties), ...recommended }
  const configuration = { ...given, configurationProperties: settings }
  return { configuration, full: asObject(await ask('createFullConfig', configuration, asker)) }
}

function ask(name: string, content: Json, { resources, administrator }: Asker): Promise<Json> {
  return resources.action('system', { name, content, parameters: {} }, administrator)
}

interface Mapped {
  readonly file?: DraftFile
  readonly mapping: string | undefined
  readonly notes: readonly string[]
}

/** `conf/sync.json` with one mapping more; those that are there stay as they are, to the byte. */
async function withMapping(system: string, objectTypes: JsonObject, project: Project): Promise<Mapped> {
  const without = (...notes: readonly string[]): Mapped => ({ mapping: undefined, notes })
  const [typeName, type] = Object.entries(objectTypes)[0] ?? []
  const managed = project.managedObjects.find(({ name }) => name === 'user') ?? project.managedObjects[0]
  if (typeName === undefined || !managed) return without('There are no managed objects: no mapping was added')
  const skeleton = mappingSkeleton(system, typeName, asObject(type), managed)
  if (!skeleton)
    return without(
      `No property of managed/${managed.name} has a name as in system/${system}/${typeName}: no mapping was added`,
    )
  const { mapping, notes } = skeleton
  const name = String(mapping.name)
  if (project.declaredMappings.some((one) => one.name === name))
    return without(`There is a mapping ${name} already: it was left as it is`)
  const file = 'conf/sync.json'
  const before = await readFile(join(project.folder, file), 'utf8').catch(() => undefined)
  const raw = project.documents.find(({ id }) => id === 'sync')?.raw
  if (before !== undefined && !raw) return without(`${file} cannot be read: no mapping was added`)
  const mappings = Array.isArray(raw?.mappings) ? raw.mappings : []
  return {
    file: { file, text: editedText(before, { ...raw, mappings: [...mappings, mapping] }) },
    mapping: name,
    notes,
  }
}
