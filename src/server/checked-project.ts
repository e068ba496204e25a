import { configuredAudit } from '../audit/configured-audit.ts'
import type { AuditConfiguration } from '../audit/service.ts'
import type { CompiledMapping } from '../config/compiled-mappings.ts'
import { compileMappings } from '../config/compiled-mappings.ts'
import { compileInlineMapping } from '../config/inline-mapping.ts'
import { nearest } from '../config/nearest.ts'
import { locateProblem } from '../config/problem.ts'
import type {
  ConfigurationFile,
  ConfigurationProblem,
  ConfiguredConnector,
  Project,
} from '../config/project.ts'
import { readProject } from '../config/read.ts'
import { fileSecrets } from '../config/secrets.ts'
import type { ConnectorKind } from '../connectors/kit/connector.ts'
import { type Misconfiguration, misconfigurationIn } from '../connectors/kit/misconfigured.ts'
import { openSystem, type System, type SystemEnvironment } from '../connectors/system/open-system.ts'
import { configuredEndpoints } from '../endpoint/configured-endpoints.ts'
import type { Endpoint } from '../endpoint/endpoints.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import { type ConfiguredPolicies, configuredPolicies } from '../objects/policies/configuration.ts'
import { withPolicies } from '../objects/policies/resources-with-policies.ts'
import { withShippedScripts } from '../objects/type/shipped-scripts.ts'
import type { ManagedType } from '../objects/type/type.ts'
import { readTypeScripts, type UsableType } from '../objects/type/type-programs.ts'
import { unsupportedFeatures } from '../objects/type/unsupported.ts'
import { type ConfiguredRouter, configuredRouter } from '../router/scripts/configuration.ts'
import { configuredJobs } from '../schedule/configured-jobs.ts'
import type { Job } from '../schedule/job.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { type IsolateEngineOptions, isolateEngine } from '../scripts/isolate-engine.ts'
import { connectorKinds, connectorSchemas } from './connectors.ts'

/**
 * A project with everything compiled and checked, before any system is reached or any store is opened. What is wrong
 * is in `problems` and left out of the rest.
 */
export interface CheckedProject {
  readonly project: Project
  readonly problems: readonly ConfigurationProblem[]
  readonly mappings: ReadonlyMap<string, CompiledMapping>
  readonly types: readonly UsableType[]
  readonly policies: ConfiguredPolicies
  readonly router: ConfiguredRouter
  readonly jobs: readonly Job[]
  readonly endpoints: readonly Endpoint[]
  readonly audit: Omit<AuditConfiguration, 'runFilter'>
  /** By name; opened, which reaches nothing outside. */
  readonly systems: ReadonlyMap<string, System>
}

export interface ProjectOptions {
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Properties given to the process (platform §3.2). */
  readonly flags: Readonly<Record<string, Json>>
  /** Connectors beside those of this package. */
  readonly connectors?: readonly ConnectorKind[]
}

/** The configuration does not allow what was asked for; `problems` says where and why. */
export class ConfigurationFailure extends Problem {
  readonly problems: readonly ConfigurationProblem[]

  constructor(message: string, problems: readonly ConfigurationProblem[]) {
    super('CONFIGURATION', message, { detail: problems })
    this.problems = problems
  }
}

/** The project in its folder, or what it would be with other files of conf/. */
export async function readConfiguration(
  options: ProjectOptions,
  files?: readonly ConfigurationFile[],
): Promise<Project> {
  const schemas = connectorSchemas(connectorKinds(options.connectors))
  return readProject(options.projectFolder, { ...options, connectorSchemas: schemas, files })
}

export async function checkProject(
  project: Project,
  engine: ScriptEngine,
  environment: Pick<SystemEnvironment, 'kinds' | 'decrypt' | 'log'> & {
    /** In place of `openSystem`. */
    readonly open?: typeof openSystem
  },
): Promise<CheckedProject> {
  const compiled = await compileMappings(project, engine)
  const policies = await configuredPolicies(project, engine)
  const { types, problems } = await usableTypes(project, engine, policies)
  const router = await configuredRouter(project, engine)
  const schedules = configuredJobs(project)
  const audit = await configuredAudit(project, engine)
  const own = await configuredEndpoints(project, engine)
  const opened = await openSystems(project, { ...environment, projectFolder: project.folder })
  return {
    project,
    types,
    policies,
    router,
    jobs: schedules.jobs,
    endpoints: own.endpoints,
    audit: audit.audit,
    mappings: compiled.mappings,
    systems: opened.systems,
    // A value that its schema refuses may be refused by the connector as well: once is enough.
    problems: [
      ...project.problems,
      ...policies.problems,
      ...router.problems,
      ...problems,
      ...opened.problems.filter((problem) => !project.problems.some((known) => isSamePlace(known, problem))),
      ...compiled.problems,
      ...schedules.problems,
      ...own.problems,
      ...audit.problems,
    ],
  }
}

function isSamePlace(a: ConfigurationProblem, b: ConfigurationProblem): boolean {
  return a.file === b.file && a.pointer === b.pointer
}

async function usableTypes(
  project: Project,
  engine: ScriptEngine,
  { policies, resources }: ConfiguredPolicies,
): Promise<{ types: UsableType[]; problems: ConfigurationProblem[] }> {
  const own = new Map(policies.map((policy) => [policy.policyId, policy]))
  const types: UsableType[] = []
  const problems: ConfigurationProblem[] = []
  for (const declared of project.declaredManagedObjects) {
    const { name, document, pointer, content } = declared
    // The schema of managed.json has made sure of the rest.
    const hasFile = (path: string) => project.readFile(path) !== undefined
    const type = withShippedScripts({ ...content, name } as ManagedType, hasFile)
    const unsupported = unsupportedFeatures(type, own)
    for (const feature of unsupported) {
      const message = `managed object ${name}: ${feature.message}`
      problems.push(locateProblem(document, [...pointer, ...feature.pointer], message))
    }
    const read = await readTypeScripts(project, declared, type, engine)
    problems.push(...read.problems)
    const sound = unsupported.length + read.problems.length === 0
    if (sound && project.managedObjects.includes(declared))
      types.push({ type: withPolicies(type, resources), scripts: read.scripts })
  }
  return { types, problems }
}

async function openSystems(
  project: Project,
  { open = openSystem, ...environment }: SystemEnvironment & { readonly open?: typeof openSystem },
): Promise<{ systems: Map<string, System>; problems: ConfigurationProblem[] }> {
  const systems = new Map<string, System>()
  const problems: ConfigurationProblem[] = []
  for (const connector of project.connectors.filter(({ enabled }) => enabled)) {
    try {
      const system = await open(connector.content, environment)
      systems.set(system.name, system)
      for (const warning of system.warnings) problems.push(connectorProblem(connector, warning, 'warning'))
    } catch (thrown) {
      const problem = asProblem(thrown)
      const found = misconfigurationIn(problem) ?? { place: [], fact: problem.message }
      problems.push(connectorProblem(connector, found, 'error'))
    }
  }
  return { systems, problems }
}

function connectorProblem(
  { document, name }: ConfiguredConnector,
  { place, fact }: Misconfiguration,
  severity: 'error' | 'warning',
) {
  return locateProblem(document, place, `connector ${name}: ${fact}`, { severity })
}

export function scriptEngine(
  project: Project,
  options: Pick<IsolateEngineOptions, 'resources' | 'secrets' | 'log'>,
): ScriptEngine {
  return isolateEngine({
    ...options,
    projectFolder: project.folder,
    properties: project.property,
    ...scriptLimits(project),
  })
}

/** Limits that `conf/script.json` sets; what it does not set is the engine's. */
function scriptLimits({ documents }: Project): { readonly timeout?: number; readonly memory?: number } {
  const { timeout, memory } = documents.find(({ id }) => id === 'script')?.content ?? {}
  return {
    ...(typeof timeout === 'number' ? { timeout } : {}),
    ...(typeof memory === 'number' ? { memory } : {}),
  }
}

/** Everything that `syncline check` reports. Reaches no system, opens no store, needs no key. */
export async function checkOnly(options: ProjectOptions): Promise<CheckedProject> {
  const project = await readConfiguration(options)
  await using engine = scriptEngine(project, {
    resources: () => {
      throw new Problem('UNAVAILABLE', 'nothing runs while a project is being checked')
    },
    secrets: fileSecrets({ keyFile: '', env: {} }),
    log: () => {},
  })
  const checked = await checkProject(project, engine, {
    kinds: connectorKinds(options.connectors),
    decrypt: async (value) => value,
  })
  for (const system of checked.systems.values()) await system[Symbol.asyncDispose]()
  return checked
}

/** The compiled mapping of that name; a Problem that says what is wrong if it cannot run. */
export function usableMapping(checked: CheckedProject, name: string): CompiledMapping {
  const compiled = checked.mappings.get(name)
  if (!compiled) throw mappingFailure(checked, name)
  requireEnds(checked, compiled.mapping)
  return compiled
}

/** A mapping that comes with a request, checked against the project; BAD_REQUEST says what is wrong with it. */
export async function usableInlineMapping(
  checked: CheckedProject,
  content: JsonObject,
  engine: ScriptEngine,
): Promise<CompiledMapping> {
  const compiled = await compileInlineMapping(content, checked.project, engine)
  requireEnds(checked, compiled.mapping)
  return compiled
}

function requireEnds(checked: CheckedProject, { name, source, target }: Mapping): void {
  for (const path of [source, target]) if (!isReady(checked, path)) throw unusableEnd(checked, name, path)
}

/** True for a mapping that compiles and whose ends are both there. */
export function isUsable(checked: CheckedProject, name: string): boolean {
  const mapping = checked.mappings.get(name)?.mapping
  return mapping !== undefined && isReady(checked, mapping.source) && isReady(checked, mapping.target)
}

/** Is there an object set of this path? Other roots than systems and managed objects are not judged. */
export function isReady({ systems, types }: CheckedProject, path: string): boolean {
  const [root, name = ''] = path.split('/')
  if (root === 'system') return systems.has(name)
  return root !== 'managed' || types.some(({ type }) => type.name === name)
}

function unusableEnd({ project, problems }: CheckedProject, mapping: string, path: string): Problem {
  const [root, name] = path.split('/')
  const connector = project.documents.find(
    ({ id, raw }) =>
      id === `provisioner.openicf/${name}` || (id.startsWith('provisioner.') && raw?.name === name),
  )
  const file = root === 'system' ? connector?.file : 'conf/managed.json'
  const causes = problems.filter((problem) => problem.severity === 'error' && problem.file === file)
  const why = causes.length > 0 ? 'has errors' : 'is switched off or not configured'
  return new ConfigurationFailure(`mapping ${mapping} cannot run: ${root}/${name} ${why}`, causes)
}

/** Why a mapping cannot be used: its own errors, or that there is none of that name. */
function mappingFailure({ project, mappings, problems }: CheckedProject, name: string): Problem {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const own = errors.filter((problem) => isAbout(project, problem, name))
  if (own.length > 0) return new ConfigurationFailure(`mapping ${name} has errors and cannot run`, own)
  const known = [...mappings.keys()]
  const near = nearest(name, known)
  const hint = near ? `; did you mean ${near}?` : known.length > 0 ? `; there are: ${known.join(', ')}` : ''
  const elsewhere = errors.filter(({ file }) => /^conf.(sync|mapping-.*)\.json$/.test(file))
  if (elsewhere.length > 0) return new ConfigurationFailure(`No usable mapping ${name}${hint}`, elsewhere)
  // Over REST an unknown mapping is a conflict (engine §7.1).
  return new Problem('NOT_FOUND', `No such mapping: ${name}${hint}`, { status: 409 })
}

/** By its place in the file, or by the name that later checks put in front of their messages. */
export function isAbout(
  project: Pick<Project, 'documents'>,
  problem: ConfigurationProblem,
  name: string,
): boolean {
  if (problem.message.includes(`mapping ${name}: `) || problem.file === `conf/mapping-${name}.json`)
    return true
  const mappings = project.documents.find(({ id }) => id === 'sync')?.raw?.mappings
  const index = Array.isArray(mappings)
    ? mappings.findIndex((one) => (one as { name?: unknown } | null)?.name === name)
    : -1
  return problem.file === 'conf/sync.json' && problem.pointer.startsWith(`/mappings/${index}/`)
}
