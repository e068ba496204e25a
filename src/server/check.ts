import { locateIn } from '../config/locate.ts'
import type { ConfigurationFile, ConfigurationProblem, Project } from '../config/project.ts'
import { readProject } from '../config/read.ts'
import { fileSecrets } from '../config/secrets.ts'
import type { ConnectorKind } from '../connectors/kit/kind.ts'
import { openSystem, type System } from '../connectors/system/open-system.ts'
import type { Compiled } from '../feature/feature.ts'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { managedFeature } from '../objects/feature.ts'
import type { UsableType } from '../objects/type/scripts.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { type IsolateEngineOptions, isolateEngine } from '../scripts/isolate-engine.ts'
import { connectorScripts } from './connector-scripts.ts'
import { connectorKinds, connectorSchemas } from './connectors.ts'
import { features, type ServerFeature, type Tools } from './features.ts'
import { type CompiledMapping, mappingFeature } from './mappings.ts'
import { systemFeature } from './systems.ts'

/**
 * A project with everything compiled and checked, before any system or store is opened. Errors are in `problems`; parts
 * with errors are left out.
 */
export interface CheckedProject {
  readonly project: Project
  /** What keeps parts from running, and what compiling them has warned of. */
  readonly problems: readonly ConfigurationProblem[]
  /**
   * What a person would doubt besides. To find it takes reading every script, with a parser of its own: that is done when somebody first
   * asks, not at the start of each command.
   */
  doubts(): Promise<readonly ConfigurationProblem[]>
  readonly mappings: ReadonlyMap<string, CompiledMapping>
  readonly types: readonly UsableType[]
  /** By name. They are open, but not connected yet. */
  readonly systems: ReadonlyMap<string, System>
}

export interface ProjectOptions {
  readonly projectFolder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Properties passed to the process (platform §3.2). */
  readonly flags: Readonly<Record<string, Json>>
  /** An empty folder is a project that is yet to be configured. */
  readonly mayBeEmpty?: boolean
  /** Connectors in addition to those of this package. */
  readonly connectors?: readonly ConnectorKind[]
  /** Features in addition to those of this package. */
  readonly features?: readonly ServerFeature[]
}

export function featuresOf({ features: own = [] }: ProjectOptions): readonly ServerFeature[] {
  return [...features, ...own]
}

/** The project in its folder, or with other files of conf/. */
export async function readConfiguration(
  options: ProjectOptions,
  files?: readonly ConfigurationFile[],
): Promise<Project> {
  return readProject(options.projectFolder, {
    ...options,
    connectorSchemas: connectorSchemas(connectorKinds(options.connectors)),
    schemas: featuresOf(options),
    files,
  })
}

/** Compiles every feature, in the order of the list. */
export async function compileFeatures(
  list: readonly Pick<ServerFeature, 'compile'>[],
  tools: Tools,
): Promise<{ readonly checked: CheckedProject; readonly compiled: readonly Compiled<unknown>[] }> {
  const compiled: Compiled<unknown>[] = []
  for (const feature of list) compiled.push(await feature.compile(tools.documents, tools))
  const findings = compiled.flatMap((one) => one.findings)
  let doubts: ReturnType<CheckedProject['doubts']> | undefined
  const checked = {
    project: tools.project,
    problems: [...tools.problems, ...locateIn(tools.documents, findings)],
    doubts() {
      doubts ??= import('./doubts.ts').then(({ doubtsOf }) => locateIn(tools.documents, doubtsOf(tools)))
      return doubts
    },
    mappings: mappingFeature.of(tools),
    types: managedFeature.of(tools).types,
    systems: systemFeature.of(tools),
  }
  return { checked, compiled }
}

/** Everything that `syncline check` reports. Connects to no system, opens no store, needs no key. */
export async function checkOnly(options: ProjectOptions): Promise<CheckedProject> {
  await using opened = new AsyncDisposableStack()
  const project = await readConfiguration(options)
  const engine = opened.use(
    scriptEngine(project, {
      resources: () => {
        throw new Problem('UNAVAILABLE', 'nothing runs while a project is being checked')
      },
      secrets: fileSecrets({ keyFile: '', env: {} }),
      log: () => {},
    }),
  )
  const kinds = connectorKinds(options.connectors)
  const scripts = connectorScripts(engine, project.readFile)
  const environment = { kinds, projectFolder: project.folder, scripts, decrypt: async (value: Json) => value }
  const tools: Tools = {
    ...project,
    project,
    engine,
    openSystem: async (configuration) => opened.use(await openSystem(configuration, environment)),
  }
  const { checked } = await compileFeatures(featuresOf(options), tools)
  return { ...checked, problems: [...checked.problems, ...(await checked.doubts())] }
}

export function scriptEngine(
  project: Project,
  options: Pick<IsolateEngineOptions, 'resources' | 'secrets' | 'log'>,
): ScriptEngine {
  // The engine has defaults for limits that are not in `conf/script.json`.
  const { timeout, memory } = project.documents.find(({ id }) => id === 'script')?.content ?? {}
  return isolateEngine({
    ...options,
    projectFolder: project.folder,
    properties: project.scriptProperty,
    ...(typeof timeout === 'number' && { timeout }),
    ...(typeof memory === 'number' && { memory }),
  })
}
