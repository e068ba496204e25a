import { auditFilters } from '../audit/configured-audit.ts'
import type { AuditConfiguration, AuditService } from '../audit/service.ts'
import { recordingActivity } from '../audit/system-activity.ts'
import type { Candidate } from '../config/live/candidate.ts'
import type { Project } from '../config/project.ts'
import type { ConnectorKind } from '../connectors/kit/connector.ts'
import { openSystem, type System } from '../connectors/system/open-system.ts'
import { systemProvider } from '../connectors/system/system.ts'
import { endpointProvider } from '../endpoint/endpoints.ts'
import { scriptProvider } from '../endpoint/script-resource.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { ownPolicies } from '../objects/policies/project-policies.ts'
import { policyProvider } from '../objects/policies/resource.ts'
import { type ManagedObjects, managedObjects } from '../objects/resource.ts'
import type { TypeParts } from '../objects/type/compile.ts'
import { schemaProvider } from '../objects/type/schema-resource.ts'
import type { ManagedType } from '../objects/type/type.ts'
import { typeParts, type UsableType } from '../objects/type/type-programs.ts'
import type { OnChange } from '../objects/write/changes.ts'
import type { Repository } from '../repository/repository.ts'
import { authorizeByRules } from '../router/access-rules.ts'
import { authorizeExternal } from '../router/authorization.ts'
import type { RouterFilter } from '../router/filter.ts'
import type { RequestContext, ResourceProvider } from '../router/resources.ts'
import type { ConfiguredRouter } from '../router/scripts/configuration.ts'
import { customAuthorization } from '../router/scripts/custom-authorization.ts'
import { scriptFilters } from '../router/scripts/script-filters.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine, Secrets } from '../scripts/engine.ts'
import { failureHandler } from '../sync/changes/live-sync/failure-handler.ts'
import { runFailureScript } from '../sync/changes/live-sync/failure-script.ts'
import { type LiveSyncOptions, type LiveSyncRequest, liveSync } from '../sync/changes/live-sync/live-sync.ts'
import { LoadedRules } from '../sync/page/loaded-rules.ts'
import { loadRules, type Rules } from '../sync/page/rules.ts'
import { type ListedMapping, mappingsProvider } from '../sync/resources/mappings.ts'
import {
  type CheckedProject,
  checkProject,
  isReady,
  usableInlineMapping,
  usableMapping,
} from './checked-project.ts'
import type { Shared } from './ref-counted.ts'

/**
 * A state of the configuration with everything that is built from it: checked, compiled, its resources ready to be asked. When the
 * configuration changes, the next generation takes the place of this one, which ends when the last work under it is done. What
 * both have unchanged (systems, the script engine) they share.
 */
export interface Generation extends Candidate {
  readonly checked: CheckedProject
  readonly engine: ScriptEngine
  readonly audit: AuditConfiguration
  /** What of the router's resources depends on the configuration. */
  readonly mounts: Readonly<Record<string, ResourceProvider>>
  readonly managed: ManagedObjects
  /** What stands around every request: who may make it, and the scripts of `conf/router.json`. */
  readonly filters: readonly RouterFilter[]
  readonly mappings: readonly Mapping[]
  rulesOf(mapping: string): Promise<Rules>
  /** Not kept: whoever asked disposes of them. */
  inlineRules(mapping: JsonObject): Promise<Rules>
  /** What a script makes of a value, which it sees as `value` and `content`. */
  transform(script: JsonObject, value: Json, request: RequestContext): Promise<Json | undefined>
  /** True for sets whose changes may be taken back after they are stored: their types have scripts that run then. */
  mayBeTakenBack(path: string): boolean
}

/** What all generations stand on. */
export interface Foundation {
  readonly repository: Repository
  readonly audit: AuditService
  readonly secrets: Secrets
  readonly systems: Shared<System>
  readonly kinds: readonly ConnectorKind[]
  readonly onChange: OnChange
  readonly liveSync: Omit<LiveSyncOptions, 'handlerOf' | 'runScript'>
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** The script engine for a project; one that it shares with others is closed by the last of them. */
  readonly engineFor: (project: Project) => Promise<ScriptEngine>
}

export async function openGeneration(project: Project, foundation: Foundation): Promise<Generation> {
  await using opened = new AsyncDisposableStack()
  const { repository, secrets, kinds, log } = foundation
  const engine = opened.use(await foundation.engineFor(project))
  const decrypt = secrets.decrypt.bind(secrets)
  const checked = await checkProject(project, engine, {
    kinds,
    decrypt,
    log: (message) => log('warn', message),
    // The same configuration is the same system; one that is being worked with is not opened a second time.
    open: (configuration, environment) =>
      foundation.systems.use(JSON.stringify(configuration), () => openSystem(configuration, environment)),
  })
  for (const system of checked.systems.values()) opened.use(system)
  const rules = opened.use(new LoadedRules((name) => usableMapping(checked, name), engine, project.readFile))
  const { systems, types } = checked
  const policies = opened.use(ownPolicies(checked.policies.policies, engine))
  const policyContext = { mappingExists: (name: string) => checked.mappings.has(name) }
  const parts = new Map(
    types.map((usable) => [
      usable.type,
      { ...opened.use(typeParts(usable, engine, secrets)), ownPolicies: policies, policyContext },
    ]),
  )
  const hooks = opened.use(scriptFilters(checked.router.filters, engine))
  const partsOf = (type: ManagedType) => parts.get(type) as TypeParts
  const takenBack = new Set(types.filter(isTakenBack).map(({ type }) => `managed/${type.name}`))
  const managed = opened.use(
    await managedObjects({
      repository,
      types: types.map(({ type }) => type),
      enforcePolicies: project.property('openidm.policy.enforcement.enabled') !== false,
      partsOf,
      onChange: foundation.onChange,
      resources: foundation.liveSync.resources,
      log,
    }),
  )
  const filters = opened.use(auditFilters({ project, engine, log }))
  const fullObjects = isOn(project.property('openidm.audit.logFullObjects'))
  const activity = { audit: foundation.audit, fullObjects, isSecret: checked.audit.isSecret, log }
  const mounts: Record<string, ResourceProvider> = {
    managed: recordingActivity(managed, { ...activity, root: 'managed', recordsWrites: false }),
    system: recordingActivity(
      systemProvider(systems, {
        kinds,
        projectFolder: project.folder,
        decrypt,
        liveSync: (request, context) =>
          liveSyncOf(request, context, { checked, engine, project }, foundation),
      }),
      { ...activity, root: 'system', recordsWrites: true },
    ),
    policy: policyProvider({
      repository,
      types: types.map(({ type }) => type),
      resources: checked.policies.resources,
      ownPolicies: policies,
      partsOf,
    }),
    schema: schemaProvider(types.map(({ type }) => type)),
    'sync/mappings': mappingsProvider(() => listedMappings(checked)),
    endpoint: endpointProvider(checked.endpoints, engine),
    script: scriptProvider(engine, project.readFile),
  }
  const closing = opened.move()
  return {
    project,
    problems: checked.problems,
    entries: entriesOf(checked),
    checked,
    engine,
    audit: { ...checked.audit, runFilter: filters.run },
    mounts,
    managed,
    filters: [authorization(checked.router, engine, log), ...hooks.filters],
    mappings: [...checked.mappings.values()].map(({ mapping }) => mapping),
    rulesOf: (name) => rules.of(name),
    async inlineRules(content) {
      const { mapping, scripts } = await usableInlineMapping(checked, content, engine)
      return loadRules(mapping, scripts, engine, project.readFile)
    },
    async transform(definition, value, request) {
      const read = scriptSource(definition, { label: 'patch, transform', readFile: project.readFile })
      if (!read.ok) throw new Problem('BAD_PATCH', `the script of "transform": ${read.message}`)
      return engine.evaluate(read.script, { value, content: value }, { request })
    },
    mayBeTakenBack: (path) => takenBack.has(path),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

function authorization(
  { access }: ConfiguredRouter,
  engine: ScriptEngine,
  log: Foundation['log'],
): RouterFilter {
  return access ? authorizeByRules(access, customAuthorization(engine, log)) : authorizeExternal
}

function isOn(property: Json | undefined): boolean {
  return property === true || property === 'true'
}

/** True if scripts run after a change is stored that can take it back. */
function isTakenBack({ scripts }: UsableType): boolean {
  return ['postCreate', 'postUpdate', 'postDelete'].some((hook) => Object.hasOwn(scripts, hook))
}

function liveSyncOf(
  request: LiveSyncRequest,
  context: RequestContext,
  { checked, engine, project }: Pick<Generation, 'checked' | 'engine' | 'project'>,
  { liveSync: options }: Foundation,
) {
  const environment = { engine, readFile: project.readFile }
  return liveSync(
    {
      ...options,
      handlerOf: (source) =>
        failureHandler(checked.systems.get(source.split('/')[1] ?? '')?.configuration.syncFailureHandler),
      runScript: (definition, variables, by) => runFailureScript(definition, variables, by, environment),
    },
    request,
    context,
  )
}

function listedMappings(checked: CheckedProject): readonly ListedMapping[] {
  return [...checked.mappings.values()].map(({ mapping: { name, configuration, source, target } }) => ({
    name,
    configuration,
    sourceReady: isReady(checked, source),
    targetReady: isReady(checked, target),
  }))
}

/** Scripts ask for properties, too, and not only files name them. */
export const bootFile = 'conf/boot/boot.properties'

/**
 * What a project consists of, each with everything that makes it what it is: two generations in which an entry is equal treat it
 * alike.
 */
function entriesOf(checked: CheckedProject): ReadonlyMap<string, string> {
  const { mappings, types, systems, endpoints, jobs, project } = checked
  const entries: [string, unknown][] = [
    ...[...mappings].map(([name, { mapping, scripts }]): [string, unknown] => [
      `mapping/${name}`,
      [mapping.configuration, mapping.links, scripts],
    ]),
    ...types.map(({ type, scripts }): [string, unknown] => [`managed/${type.name}`, [type, scripts]]),
    ...[...systems].map(([name, { configuration }]): [string, unknown] => [`system/${name}`, configuration]),
    ...endpoints.map((endpoint): [string, unknown] => [`endpoint/${endpoint.name}`, endpoint]),
    ...jobs.map((job): [string, unknown] => [`schedule/${job.id}`, job.content]),
    ...checked.policies.policies.map((policy): [string, unknown] => [`policy/${policy.policyId}`, policy]),
    ['router', checked.router.filters],
    // The rest of what is configured, and the properties that files name.
    ...project.documents.map(({ id, content }): [string, unknown] => [`config/${id}`, content]),
    ['properties', project.readFile(bootFile) ?? null],
  ]
  return new Map(entries.map(([name, content]) => [name, JSON.stringify(content)]))
}
