import { auditFeature } from '../audit/feature.ts'
import { recordingActivity } from '../audit/system-activity.ts'
import type { Candidate } from '../config/live/candidate.ts'
import type { Project } from '../config/project.ts'
import { openSystem } from '../connectors/system/open-system.ts'
import type { BegunFeature, Openable, Part } from '../feature/feature.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { managedFeature, setsTakenBack } from '../objects/feature.ts'
import type { RouterFilter } from '../router/filter.ts'
import type { RequestContext, ResourceProvider } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { failureHandler } from '../sync/changes/live-sync/failure-handler.ts'
import { runFailureScript } from '../sync/changes/live-sync/failure-script.ts'
import { liveSync } from '../sync/changes/live-sync/live-sync.ts'
import { LoadedRules, loadRules, type Rules } from '../sync/page/rules.ts'
import { type CheckedProject, compileFeatures, scriptEngine } from './check.ts'
import type { Tools } from './features.ts'
import type { GenerationHost, Services } from './services.ts'
import { isReady, usableInlineMapping, usableMapping } from './usable.ts'

/**
 * A state of the configuration with everything that is built from it: checked, compiled, its resources ready to be asked. When the
 * configuration changes, the next generation takes the place of this one, which ends when the last work under it is done. What
 * both have unchanged (systems, the script engine) they share.
 */
export interface Generation extends Candidate {
  readonly checked: CheckedProject
  readonly engine: ScriptEngine
  /** What of the router's resources depends on the configuration. */
  readonly mounts: Readonly<Record<string, ResourceProvider>>
  /** What stands around every request. */
  readonly filters: readonly RouterFilter[]
  readonly mappings: readonly Mapping[]
  rulesOf(mapping: string): Promise<Rules>
  /** Not kept: whoever asked disposes of them. */
  inlineRules(mapping: JsonObject): Promise<Rules>
  /** What a script makes of a value, which it sees as `value` and `content`. */
  transform(script: JsonObject, value: Json, request: RequestContext): Promise<Json | undefined>
  /** True for sets whose changes may be taken back after they are stored: their types have scripts that run then. */
  mayBeTakenBack(path: string): boolean
  /** It is in force from now on. */
  activate(): Promise<void>
  /** What it does by itself while a server runs. */
  start(): Promise<void>
}

export type BegunFeatures = readonly BegunFeature<Tools, Services>[]

export async function openGeneration(
  project: Project,
  begun: BegunFeatures,
  host: GenerationHost,
): Promise<Generation> {
  await using opened = new AsyncDisposableStack()
  const { thing: engine } = opened.use(await engineOf(project, host))
  const tools = { ...project, project, engine, openSystem: systemOpener(project, host, opened) }
  const { checked, compiled } = await compileFeatures(begun, tools)
  const { readFile } = project
  const rules = opened.use(new LoadedRules((name) => usableMapping(checked, name), engine, readFile))
  const parts = await openParts(compiled, servicesOf(tools, checked, host), opened)
  const takenBack = setsTakenBack(managedFeature.of(tools))
  const closing = opened.move()
  return {
    project,
    checked,
    problems: checked.problems,
    entries: entriesOf(project, compiled),
    engine,
    mounts: Object.assign({}, ...parts.map(({ mounts }) => mounts)),
    filters: parts.flatMap(({ filters = [] }) => filters),
    mappings: [...checked.mappings.values()].map(({ mapping }) => mapping),
    rulesOf: (name) => rules.of(name),
    async inlineRules(content) {
      const { mapping, scripts } = await usableInlineMapping(checked, content, engine)
      return loadRules(mapping, scripts, engine, readFile)
    },
    async transform(definition, value, request) {
      const read = scriptSource(definition, { label: 'patch, transform', readFile })
      if (!read.ok) throw new Problem('BAD_PATCH', `the script of "transform": ${read.message}`)
      return engine.evaluate(read.script, { value, content: value }, { request })
    },
    mayBeTakenBack: (path) => takenBack.has(path),
    async activate() {
      for (const part of parts) await part.activate?.()
    },
    async start() {
      for (const part of parts) await part.start?.()
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** Projects with the same settings of scripts and the same properties have one engine. */
function engineOf(project: Project, { engines, resources, secrets, log }: GenerationHost) {
  const { content } = project.documents.find(({ id }) => id === 'script') ?? {}
  const key = JSON.stringify([content, project.readFile(bootFile)])
  const options = {
    resources,
    secrets,
    log: (level: string, label: string, message: string) => {
      if (level === 'error' || level === 'warn' || level === 'info')
        log(level, label ? `${label}: ${message}` : message)
    },
  }
  return engines.use(key, async () => scriptEngine(project, options))
}

/** The same configuration is the same system; one that is being worked with is not opened a second time. */
function systemOpener(
  { folder }: Project,
  { systems, kinds, secrets, log }: GenerationHost,
  opened: AsyncDisposableStack,
): Tools['openSystem'] {
  const environment = {
    kinds,
    projectFolder: folder,
    decrypt: secrets.decrypt.bind(secrets),
    log: (message: string) => log('warn', message),
  }
  return async (configuration) => {
    const key = JSON.stringify(configuration)
    const used = opened.use(await systems.use(key, () => openSystem(configuration, environment)))
    return used.thing
  }
}

async function openParts(
  compiled: readonly Openable<Services>[],
  services: Services,
  opened: AsyncDisposableStack,
): Promise<readonly Part[]> {
  const parts: Part[] = []
  for (const one of compiled) {
    const part = await one.open(services)
    opened.defer(async () => part[Symbol.asyncDispose]?.())
    parts.push(part)
  }
  return parts
}

function servicesOf(tools: Tools, checked: CheckedProject, host: GenerationHost): Services {
  const { project, engine } = tools
  const { folder, readFile, property } = project
  const { audit, log } = host
  const fullObjects = isOn(property('openidm.audit.logFullObjects'))
  const activity = { audit, fullObjects, isSecret: auditFeature.of(tools).isSecret, log }
  return {
    ...{ ...host, engine, folder, readFile, property },
    mappingExists: (name) => checked.mappings.has(name),
    isReady: (path) => isReady(checked, path),
    // Managed objects record themselves what is written.
    recordingActivity: (provider, root) =>
      recordingActivity(provider, { ...activity, root, recordsWrites: root === 'system' }),
    liveSync: (request, context) => {
      const configurationOf = (source: string) =>
        checked.systems.get(source.split('/')[1] ?? '')?.configuration
      const options = {
        ...host.liveSyncOptions,
        handlerOf: (source: string) => failureHandler(configurationOf(source)?.syncFailureHandler),
        runScript: (definition: JsonObject, variables: JsonObject, by: RequestContext) =>
          runFailureScript(definition, variables, by, { engine, readFile }),
      }
      return liveSync(options, request, context)
    },
  }
}

function isOn(property: Json | undefined): boolean {
  return property === true || property === 'true'
}

/** Scripts ask for properties, too, and not only files name them. */
const bootFile = 'conf/boot/boot.properties'

/**
 * What a project consists of, each with everything that makes it what it is: two generations in which an entry is equal treat it
 * alike.
 */
function entriesOf(project: Project, compiled: readonly Openable<Services>[]): ReadonlyMap<string, string> {
  const entries: [string, unknown][] = [
    ...compiled.flatMap((one) => Object.entries(one.entries ?? {})),
    // The rest of what is configured, and the properties that files name.
    ...project.documents.map(({ id, content }): [string, unknown] => [`config/${id}`, content]),
    ['properties', project.readFile(bootFile) ?? null],
  ]
  return new Map(entries.map(([name, content]) => [name, JSON.stringify(content)]))
}
