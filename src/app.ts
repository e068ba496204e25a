import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { auditProvider } from './audit/provider.ts'
import { type CompiledMapping, compileMappings } from './config/compiled-mappings.ts'
import { nearest } from './config/nearest.ts'
import { locateProblem } from './config/problem.ts'
import type { ConfigurationProblem, ConfiguredConnector, Project } from './config/project.ts'
import { readProject } from './config/read.ts'
import { fileSecrets } from './config/secrets.ts'
import { csvKind } from './connectors/csv/kind.ts'
import { openSystem, type System } from './connectors/open-system.ts'
import { systemProvider } from './connectors/system.ts'
import { administratorAuthentication, ensureAdministrator } from './http/authentication.ts'
import { httpServer } from './http/server.ts'
import type { Mapping } from './mapping/mapping.ts'
import type { Json } from './model/json.ts'
import { asProblem, Problem } from './model/problem.ts'
import { managedObjects } from './objects/managed.ts'
import type { ManagedType } from './objects/type.ts'
import { unsupportedFeatures } from './objects/unsupported.ts'
import type { Repository } from './repository/repository.ts'
import { openSqlite } from './repository/sqlite/open.ts'
import { authorizeExternal } from './router/authorization.ts'
import { configProvider } from './router/providers/config.ts'
import { infoProvider } from './router/providers/info.ts'
import { repoLinkProvider } from './router/providers/repo-link.ts'
import type { RequestContext, Resources } from './router/resources.ts'
import { router } from './router/router.ts'
import type { ScriptEngine } from './scripts/engine.ts'
import { isolateEngine } from './scripts/isolate-engine.ts'
import { mappingsProvider } from './sync/mappings-resource.ts'
import { Reconciliations } from './sync/reconciliation/reconciliations.ts'
import { reconciliationProvider } from './sync/reconciliation/resource.ts'
import { loadRules, type Rules } from './sync/rules.ts'
import { version } from './version.ts'

/**
 * The composition root: the one file that knows every adapter. It builds everything from a project folder and hands
 * it over; nothing in here decides anything.
 */
export interface ApplicationOptions {
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, Json>>
}

export interface Application extends AsyncDisposable {
  readonly project: Project
  /** Everything that is wrong or doubtful in the configuration; what is wrong is left out, the rest works. */
  readonly problems: readonly ConfigurationProblem[]
  readonly repository: Repository
  readonly resources: Resources
  readonly reconciliations: Reconciliations
  /** For the command line: whoever can read the data folder is the administrator. */
  readonly administrator: RequestContext
  /** ConfigurationFailure with the mapping's own errors, or NOT_FOUND with the nearest name. */
  requireMapping(name: string): Mapping
  /** The names of hooks that a dry run leaves out. */
  hooksOf(mapping: string): Promise<readonly string[]>
}

/** The configuration does not allow what was asked for; `problems` says where and why. */
export class ConfigurationFailure extends Problem {
  readonly problems: readonly ConfigurationProblem[]

  constructor(message: string, problems: readonly ConfigurationProblem[]) {
    super('CONFIGURATION', message, { detail: problems })
    this.problems = problems
  }
}

const kinds = [csvKind]

/** A project with everything compiled and checked, before any system or store is opened. */
interface CheckedProject {
  readonly project: Project
  readonly problems: readonly ConfigurationProblem[]
  readonly mappings: ReadonlyMap<string, CompiledMapping>
  readonly types: readonly ManagedType[]
}

async function checkProject(
  options: ApplicationOptions,
  engineFor: (project: Project) => ScriptEngine,
): Promise<CheckedProject> {
  const connectorSchemas = Object.fromEntries(
    kinds.map((kind) => [kind.connectorName, kind.configurationSchema]),
  )
  const project = await readProject(options.projectFolder, { ...options, connectorSchemas })
  const compiled = await compileMappings(project, engineFor(project))
  const { types, problems } = usableTypes(project)
  return {
    project,
    types,
    mappings: compiled.mappings,
    problems: [...project.problems, ...problems, ...compiled.problems],
  }
}

function usableTypes(project: Project): { types: ManagedType[]; problems: ConfigurationProblem[] } {
  const types: ManagedType[] = []
  const problems: ConfigurationProblem[] = []
  for (const { name, document, pointer, content } of project.managedObjects) {
    const type = { ...content, name } as ManagedType
    const unsupported = unsupportedFeatures(type)
    for (const feature of unsupported) {
      problems.push(
        locateProblem(
          document,
          [...pointer, ...feature.pointer],
          `managed object ${name}: ${feature.message}`,
        ),
      )
    }
    if (unsupported.length === 0) types.push(type)
  }
  return { types, problems }
}

function scriptEngine(project: Project, options: EngineOptions): ScriptEngine {
  const settings = project.documents.find(({ id }) => id === 'script')?.content ?? {}
  return isolateEngine({
    projectFolder: project.folder,
    properties: project.property,
    timeout: typeof settings.timeout === 'number' ? settings.timeout : undefined,
    memory: typeof settings.memory === 'number' ? settings.memory : undefined,
    ...options,
  })
}

type EngineOptions = Pick<Parameters<typeof isolateEngine>[0], 'resources' | 'secrets' | 'log'>

/** What `syncline check` reports. Opens no system and no store. */
export async function checkApplication(options: ApplicationOptions) {
  const notRunning = () => {
    throw new Problem('UNAVAILABLE', 'nothing runs while a project is being checked')
  }
  let engine: ScriptEngine | undefined
  try {
    const { project, problems, mappings, types } = await checkProject(options, (read) => {
      engine = scriptEngine(read, { resources: notRunning, secrets: checkingSecrets, log: () => {} })
      return engine
    })
    const { systems, problems: systemProblems } = await openSystems(project, notRunning)
    for (const system of systems) await system[Symbol.asyncDispose]()
    return {
      problems: [...problems, ...systemProblems],
      connectors: systems.map(({ name }) => name),
      managedObjects: types.map(({ name }) => name),
      mappings: [...mappings.keys()],
    }
  } finally {
    await engine?.[Symbol.asyncDispose]()
  }
}

/** Checking a script's syntax runs nothing, so nothing is encrypted and no key file is needed. */
const checkingSecrets = fileSecrets({ keyFile: '', env: {} })

async function openSystems(
  project: Project,
  decrypt: (value: Json) => Promise<Json>,
): Promise<{ systems: System[]; problems: ConfigurationProblem[] }> {
  const systems: System[] = []
  const problems: ConfigurationProblem[] = []
  for (const connector of project.connectors.filter(({ enabled }) => enabled)) {
    try {
      systems.push(await openSystem(connector.content, { kinds, projectFolder: project.folder, decrypt }))
    } catch (error) {
      problems.push(connectorProblem(connector, asProblem(error)))
    }
  }
  return { systems, problems }
}

function connectorProblem(
  { document, name }: ConfiguredConnector,
  { message }: Problem,
): ConfigurationProblem {
  return locateProblem(document, ['connectorRef'], `connector ${name}: ${message}`)
}

export interface OpenOptions extends ApplicationOptions {
  readonly dataFolder: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export async function openApplication(options: OpenOptions): Promise<Application> {
  await using opened = new AsyncDisposableStack()
  const secrets = fileSecrets({ keyFile: join(options.dataFolder, 'key'), env: options.environment })
  let resources: Resources | undefined
  const routes = () => resources as Resources
  let engine: ScriptEngine | undefined
  const checked = await checkProject(options, (read) => {
    engine = opened.use(scriptEngine(read, { resources: routes, secrets, log: scriptLog(options) }))
    return engine
  })
  const { project } = checked
  const { systems, problems } = await openSystems(project, (value) => secrets.decrypt(value))
  for (const system of systems) opened.use(system)
  await mkdir(options.dataFolder, { recursive: true })
  const repository = opened.use(await openSqlite(join(options.dataFolder, 'syncline.db')))
  const all = [...checked.problems, ...problems]
  const rules = new LoadedRules(checked.mappings, engine as ScriptEngine, (name) =>
    mappingFailure(checked, all, name),
  )
  opened.use(rules)
  const reconciliations = new Reconciliations({
    repository,
    resources: routes,
    rulesOf: (name) => rules.of(name),
    log: options.log,
  })
  opened.defer(() => reconciliations.close())
  const systemNames = new Set(systems.map(({ name }) => name))
  const isReady = (path: string) => objectSetIsReady(path, systemNames, checked.types)
  resources = router(
    {
      managed: await managedObjects({
        repository,
        types: checked.types,
        enforcePolicies: project.property('openidm.policy.enforcement.enabled') !== false,
      }),
      system: systemProvider(systems),
      config: configProvider(() => project.documents),
      'sync/mappings': mappingsProvider(() =>
        [...checked.mappings.values()].map(({ mapping }) => ({
          name: mapping.name,
          configuration: mapping.configuration,
          sourceReady: isReady(mapping.source),
          targetReady: isReady(mapping.target),
        })),
      ),
      recon: reconciliationProvider(reconciliations),
      'repo/link': repoLinkProvider(repository, (name) => checked.mappings.get(name)?.mapping.links.type),
      audit: auditProvider(repository),
      info: infoProvider({ state: () => 'ACTIVE_READY', version: version() }),
    },
    [authorizeExternal],
  )
  const closing = opened.move()
  return {
    project,
    problems: all,
    repository,
    resources,
    reconciliations,
    administrator: {
      external: false,
      userId: 'openidm-admin',
      roles: ['openidm-admin'],
      transactionId: 'command-line',
    },
    requireMapping: (name) =>
      checked.mappings.get(name)?.mapping ?? raise(mappingFailure(checked, all, name)),
    async hooksOf(name) {
      const { hooks } = (await rules.of(name)).mapping
      return Object.keys(hooks).filter((hook) => hook !== 'onMapping')
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

function raise(error: Error): never {
  throw error
}

function scriptLog({ log }: OpenOptions): EngineOptions['log'] {
  return (level, label, message) => {
    if (level === 'error' || level === 'warn' || level === 'info') log(level, `${label}: ${message}`)
  }
}

function objectSetIsReady(
  path: string,
  systems: ReadonlySet<string>,
  types: readonly ManagedType[],
): boolean {
  const [root, name] = path.split('/')
  if (root === 'system') return systems.has(name ?? '')
  return root !== 'managed' || types.some((type) => type.name === name)
}

/** Why a mapping cannot be used: its own errors, or that there is none of that name. */
function mappingFailure(
  { project, mappings }: CheckedProject,
  problems: readonly ConfigurationProblem[],
  name: string,
): Problem {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const own = errors.filter(
    ({ message, file }) => message.includes(`mapping ${name}:`) || file === `conf/mapping-${name}.json`,
  )
  if (own.length > 0) return new ConfigurationFailure(`mapping ${name} has errors and cannot run`, own)
  const known = [...mappings.keys()]
  const near = nearest(name, known)
  const hint = near ? `; did you mean ${near}?` : known.length > 0 ? `; there are: ${known.join(', ')}` : ''
  const inSync = errors.filter(({ file }) => file === 'conf/sync.json' || file.startsWith('conf/mapping-'))
  if (inSync.length > 0) return new ConfigurationFailure(`No usable mapping: ${name}${hint}`, inSync)
  return new Problem('NOT_FOUND', `No such mapping: ${name}${hint} (project ${project.folder})`, {
    status: 409,
  })
}

/** Mappings' rules, loaded into the sandbox when first used and kept. */
class LoadedRules implements AsyncDisposable {
  readonly #mappings: ReadonlyMap<string, CompiledMapping>
  readonly #engine: ScriptEngine
  readonly #missing: (name: string) => Problem
  readonly #loaded = new Map<string, Promise<Rules>>()

  constructor(
    mappings: ReadonlyMap<string, CompiledMapping>,
    engine: ScriptEngine,
    missing: (name: string) => Problem,
  ) {
    this.#mappings = mappings
    this.#engine = engine
    this.#missing = missing
  }

  of(name: string): Promise<Rules> {
    const compiled = this.#mappings.get(name)
    if (!compiled) return Promise.reject(this.#missing(name))
    const loaded = this.#loaded.get(name) ?? loadRules(compiled.mapping, compiled.scripts, this.#engine)
    this.#loaded.set(name, loaded)
    return loaded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const rules of this.#loaded.values()) await (await rules)[Symbol.asyncDispose]()
  }
}

export interface ServerOptions extends Omit<OpenOptions, 'log'> {
  readonly log: Parameters<typeof httpServer>[0]['log']
  readonly host: string
  /** undefined: the property `openidm.port.http`, or 8080. */
  readonly port: number | undefined
  /** Hears the administrator's first password, once. */
  readonly announce: (username: string, password: string) => void
}

/** The application with its REST face; resolves when it accepts requests. */
export async function openServer(options: ServerOptions) {
  await using opened = new AsyncDisposableStack()
  const application = opened.use(
    await openApplication({ ...options, log: (level, message) => options.log[level](message) }),
  )
  const { settings } = application.repository
  await ensureAdministrator({ settings, environment: options.environment, announce: options.announce })
  const server = opened.use(
    httpServer({
      resources: application.resources,
      authentication: administratorAuthentication(settings),
      log: options.log,
    }),
  )
  const configured = Number(application.project.property('openidm.port.http') ?? 8080)
  const { url } = await server.listen({ host: options.host, port: options.port ?? configured })
  const closing = opened.move()
  return { url, application, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}
