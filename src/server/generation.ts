import { auditFeature } from '../audit/feature.ts'
import { recordingActivity } from '../audit/system-activity.ts'
import { authenticationFeature } from '../authentication/feature.ts'
import type { Logins } from '../authentication/logins.ts'
import { loginsOf } from '../authentication/modules.ts'
import type { Candidate } from '../config/live/candidate.ts'
import type { Project } from '../config/project.ts'
import { openSystem } from '../connectors/system/open-system.ts'
import type { BegunFeature, Compiled, Part } from '../feature/feature.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { managedFeature, setsTakenBack } from '../objects/feature.ts'
import type { RouterFilter } from '../router/filter.ts'
import type { RequestContext, ResourceProvider } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { failureHandler, runFailureScript } from '../sync/changes/live-sync/failure-handler.ts'
import { liveSync } from '../sync/changes/live-sync/live-sync.ts'
import { LoadedRules, loadRules, type Rules } from '../sync/page/rules.ts'
import { type CheckedProject, compileFeatures, scriptEngine } from './check.ts'
import { connectorScripts } from './connector-scripts.ts'
import type { Tools } from './features.ts'
import { compileInlineMapping } from './inline-mapping.ts'
import type { CompiledMapping } from './mappings.ts'
import type { GenerationHost, Services } from './services.ts'
import { isReady, requireEnds, usableMapping } from './usable.ts'

/**
 * A state of the configuration with everything built from it: checked, compiled, with open resources. When the
 * configuration changes, the next generation replaces this one, which is disposed of when the last work under it is done.
 * Both share what is unchanged (systems, the script engine).
 */
export interface Generation extends Candidate, CheckedProject {
  readonly engine: ScriptEngine
  /** The router's resources that depend on the configuration. */
  readonly mounts: Readonly<Record<string, ResourceProvider>>
  /** The filters around every request. */
  readonly filters: readonly RouterFilter[]
  /** Those of `conf/authentication.json`. */
  readonly logins: Logins
  rulesOf(mapping: string): Promise<Rules>
  /** Not cached: the caller disposes of them. */
  inlineRules(mapping: JsonObject): Promise<Rules>
  /** What a script makes of a value, which it sees as `value` and `content`. */
  transform(script: JsonObject, value: Json, request: RequestContext): Promise<Json | undefined>
  /** True for sets whose changes may be undone after they are stored, because their types have scripts that run then. */
  mayBeTakenBack(path: string): boolean
  /** Called when the generation becomes current. */
  activate(): Promise<void>
  /** Starts the background work of a server. */
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
  const tools = { ...project, project, engine, openSystem: systemOpener(project, engine, host, opened) }
  const { checked, compiled } = await compileFeatures(begun, tools)
  const { readFile } = project
  const load = ({ mapping, scripts }: CompiledMapping) => loadRules(mapping, scripts, engine, readFile)
  const rules = opened.use(new LoadedRules(async (name) => load(usableMapping(checked, name))))
  const parts = await openParts(begun, tools, servicesOf(tools, checked, host), opened)
  const logins = loginsOf(authenticationFeature.of(tools), host)
  const takenBack = setsTakenBack(managedFeature.of(tools))
  const closing = opened.move()
  return {
    ...checked,
    entries: entriesOf(project, compiled),
    engine,
    mounts: Object.assign({}, ...parts.map(({ mounts }) => mounts)),
    filters: parts.flatMap(({ filters = [] }) => filters),
    logins,
    rulesOf: (name) => rules.of(name),
    async inlineRules(content) {
      const compiled = await compileInlineMapping(content, project, engine)
      requireEnds(checked, compiled.mapping)
      return load(compiled)
    },
    async transform(definition, value, request) {
      const read = scriptSource(definition, { label: 'patch, transform', readFile })
      if (!read.ok) throw new Problem('BAD_PATCH', `the script of "transform": ${read.finding.message}`)
      return engine.evaluate(read.value, { value, content: value }, { request })
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
  const key = engineKey(project)
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

function engineKey({ documents, readFile }: Project): string {
  const { content } = documents.find(({ id }) => id === 'script') ?? {}
  return JSON.stringify([content, readFile(bootFile)])
}

/**
 * Systems with the same configuration are shared: a system in use is not opened a second time. One whose operations are scripts
 * keeps the engine with which it was opened.
 */
function systemOpener(
  project: Project,
  engine: ScriptEngine,
  { systems, kinds, secrets, dataFolder, log }: GenerationHost,
  opened: AsyncDisposableStack,
): Tools['openSystem'] {
  const environment = {
    kinds,
    projectFolder: project.folder,
    scripts: connectorScripts(engine, project.readFile),
    dataFolder,
    decrypt: secrets.decrypt.bind(secrets),
    log: (message: string) => log('warn', message),
  }
  return async (configuration) => {
    const key = JSON.stringify([engineKey(project), configuration])
    const used = opened.use(await systems.use(key, () => openSystem(configuration, environment)))
    return used.thing
  }
}

async function openParts(
  begun: BegunFeatures,
  tools: Tools,
  services: Services,
  opened: AsyncDisposableStack,
): Promise<readonly Part[]> {
  const parts: Part[] = []
  for (const feature of begun) {
    const part = await feature.open(tools, services)
    opened.defer(async () => part[Symbol.asyncDispose]?.())
    parts.push(part)
  }
  return parts
}

function servicesOf(tools: Tools, checked: CheckedProject, host: GenerationHost): Services {
  const { project, engine } = tools
  const { folder, readFile, property, expand } = project
  const { audit, log } = host
  const fullObjects = isOn(property('openidm.audit.logFullObjects'))
  const activity = { audit, fullObjects, isSecret: auditFeature.of(tools).isSecret, log }
  return {
    ...{ ...host, engine, folder, readFile, property, expand },
    mappingExists: (name) => checked.mappings.has(name),
    isReady: (path) => isReady(checked, path),
    // Managed objects record their writes themselves.
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

/** Scripts read properties, too, not only configuration files. */
const bootFile = 'conf/boot/boot.properties'

/**
 * The parts of a project, each with everything that it depends on. If a part is equal in two generations, it behaves in
 * the same way in both.
 */
function entriesOf(project: Project, compiled: readonly Compiled<unknown>[]): ReadonlyMap<string, string> {
  const entries: [string, unknown][] = [
    ...compiled.flatMap((one) => Object.entries(one.entries ?? {})),
    // The rest of the configuration, and the properties that files use.
    ...project.documents.map(({ id, content }): [string, unknown] => [`config/${id}`, content]),
    ['properties', project.readFile(bootFile) ?? null],
  ]
  return new Map(entries.map(([name, content]) => [name, JSON.stringify(content)]))
}
