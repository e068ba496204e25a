import { join } from 'node:path'
import { historyProvider } from './audit/history.ts'
import { JsonLinesHandler } from './audit/json-lines.ts'
import { auditProvider } from './audit/provider.ts'
import {
  type CheckedProject,
  checkProject,
  isReady,
  kinds,
  type ProjectOptions,
  readConfiguration,
  scriptEngine,
  usableInlineMapping,
  usableMapping,
} from './checked-project.ts'
import type { ConfigurationProblem, Project } from './config/project.ts'
import { readProjectFile } from './config/project-file.ts'
import { fileSecrets } from './config/secrets.ts'
import { systemProvider } from './connectors/system.ts'
import { endpointProvider } from './endpoint/endpoints.ts'
import { scriptProvider } from './endpoint/script-resource.ts'
import { administratorAuthentication, ensureAdministrator } from './http/authentication.ts'
import { httpServer } from './http/server.ts'
import { typeParts, type UsableType } from './managed-types.ts'
import type { Mapping } from './mapping/mapping.ts'
import type { JsonObject } from './model/json.ts'
import { managedObjects } from './objects/managed.ts'
import type { TypeParts } from './objects/managed-set.ts'
import type { Repository } from './repository/repository.ts'
import { openSqlite } from './repository/sqlite/open.ts'
import { authorizeExternal } from './router/authorization.ts'
import { configProvider } from './router/providers/config.ts'
import { infoProvider } from './router/providers/info.ts'
import { repoLinkProvider } from './router/providers/repo-link.ts'
import type { RequestContext, Resources } from './router/resources.ts'
import { router } from './router/router.ts'
import { jobProvider, schedulerProvider } from './schedule/provider.ts'
import { Scheduler } from './schedule/scheduler.ts'
import { services } from './schedule/services.ts'
import type { ScriptEngine } from './scripts/engine.ts'
import { implicitSync } from './sync/implicit/implicit-sync.ts'
import { onChange } from './sync/implicit/on-change.ts'
import { failureHandler } from './sync/live-sync/failure-handler.ts'
import { runFailureScript } from './sync/live-sync/failure-script.ts'
import { liveSync } from './sync/live-sync/live-sync.ts'
import { deadLetterProvider, stageProvider } from './sync/live-sync/provider.ts'
import { LoadedRules } from './sync/loaded-rules.ts'
import { type ListedMapping, mappingsProvider } from './sync/mappings-resource.ts'
import { ObjectLocks } from './sync/object-locks.ts'
import { ChangeQueue } from './sync/queue/change-queue.ts'
import { queueProvider } from './sync/queue/provider.ts'
import { associationsProvider } from './sync/reconciliation/associations.ts'
import { Reconciliations } from './sync/reconciliation/reconciliations.ts'
import { reconciliationProvider } from './sync/reconciliation/resource.ts'
import { loadRules, type Rules } from './sync/rules.ts'
import { syncProvider } from './sync/single/resource.ts'
import { Underway } from './sync/underway.ts'
import { version } from './version.ts'

/**
 * The composition root: builds everything from a project folder and hands it over; nothing in here decides anything.
 */
export interface Application extends AsyncDisposable {
  readonly project: Project
  /** Everything that is wrong or doubtful in the configuration; what is wrong is left out, the rest works. */
  readonly problems: readonly ConfigurationProblem[]
  readonly repository: Repository
  readonly resources: Resources
  readonly reconciliations: Reconciliations
  /** Changes that wait; nobody works them until it is started. */
  readonly changes: ChangeQueue
  /** Nothing is run until it is started. */
  readonly scheduler: Scheduler
  /** Nothing is written until they are started. */
  readonly auditHandlers: readonly JsonLinesHandler[]
  /** For the command line: whoever can write the data folder is the administrator. */
  readonly administrator: RequestContext
  /** ConfigurationFailure with the mapping's own errors, or NOT_FOUND with the nearest name. */
  requireMapping(name: string): Mapping
  /** Settles what runs of earlier processes left undone, as far as their targets can be read. */
  recover(): Promise<void>
}

export interface OpenOptions extends ProjectOptions {
  readonly dataFolder: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export async function openApplication(options: OpenOptions): Promise<Application> {
  await using opened = new AsyncDisposableStack()
  const { dataFolder, environment, log } = options
  const secrets = fileSecrets({ keyFile: join(dataFolder, 'key'), env: environment })
  // The router's providers use the scripts, and scripts use the router: it is there when the first script runs.
  let resources: Resources | undefined
  const routes = () => resources as Resources
  const project = await readConfiguration(options)
  const engine = opened.use(scriptEngine(project, { resources: routes, secrets, log: scriptLog(log) }))
  const decrypt = secrets.decrypt.bind(secrets)
  const checked = await checkProject(project, engine, { decrypt, log: (message) => log('warn', message) })
  for (const system of checked.systems.values()) opened.use(system)
  const repository = opened.use(await openSqlite(join(dataFolder, 'syncline.db')))
  const rules = opened.use(new LoadedRules((name) => usableMapping(checked, name), engine))
  const rulesOf = rules.of.bind(rules)
  const inlineRules = (mapping: JsonObject) => rulesOfInline(mapping, checked, engine)
  const { systems, types } = checked
  const parts = new Map(types.map((usable) => [usable.type, opened.use(typeParts(usable, engine, secrets))]))
  const postHooks = new Set(types.filter(isTakenBack).map(({ type }) => `managed/${type.name}`))
  const single = {
    repository,
    resources: routes,
    locks: new ObjectLocks(),
    underway: new Underway(),
    rulesOf,
    log,
    mappings: () => [...checked.mappings.values()].map(({ mapping }) => mapping),
  }
  const reconciliations = new Reconciliations({ ...single, inlineRules })
  const changes = opened.use(new ChangeQueue({ ...single, isActive: (id) => reconciliations.isActive(id) }))
  opened.defer(() => reconciliations.close())
  const syncing = {
    repository,
    resources: routes,
    notify: implicitSync(single),
    handlerOf: (source: string) =>
      failureHandler(systems.get(source.split('/')[1] ?? '')?.configuration.syncFailureHandler),
    runScript: (definition: JsonObject, variables: JsonObject, request: RequestContext) =>
      runFailureScript(definition, variables, request, {
        engine,
        readFile: (path) => readProjectFile(project.folder, path),
      }),
    log,
  }
  const readFile = (path: string) => readProjectFile(project.folder, path)
  const scheduled = { repository, services: services({ resources: routes, engine, readFile }), log }
  const scheduler = opened.use(new Scheduler(scheduled, checked.jobs))
  const auditHandlers = checked.auditHandlers.map((settings) =>
    opened.use(new JsonLinesHandler(settings, { repository, log })),
  )
  const enforcePolicies = project.property('openidm.policy.enforcement.enabled') !== false
  resources = router(
    {
      managed: await managedObjects({
        repository,
        types: types.map(({ type }) => type),
        enforcePolicies,
        partsOf: (type) => parts.get(type) as TypeParts,
        onChange: onChange({
          ...single,
          wake: (mapping) => changes.wake(mapping),
          mayBeTakenBack: (path) => postHooks.has(path),
        }),
      }),
      system: systemProvider(systems, {
        kinds,
        projectFolder: project.folder,
        decrypt,
        liveSync: (request, context) => liveSync(syncing, request, context),
      }),
      'repo/synchronisation/pooledSyncStage': stageProvider(repository),
      'repo/synchronisation/deadLetterQueue': deadLetterProvider(repository),
      config: configProvider(() => project.documents),
      'sync/mappings': mappingsProvider(() => listedMappings(checked)),
      sync: syncProvider({
        ...single,
        reconciliations,
        notify: implicitSync(single),
      }),
      'sync/queue': queueProvider(repository, (mapping) => changes.wake(mapping)),
      scheduler: schedulerProvider,
      endpoint: endpointProvider(checked.endpoints, engine),
      script: scriptProvider(engine, readFile),
      'scheduler/job': jobProvider(repository, scheduler),
      recon: reconciliationProvider(reconciliations, repository),
      'recon/assoc': associationsProvider(repository, routes),
      'repo/link': repoLinkProvider(repository, (name) => checked.mappings.get(name)?.mapping.links.type),
      audit: auditProvider(repository),
      history: historyProvider(repository),
      info: infoProvider({
        state: () => (reconciliations.closing ? 'STOPPING' : 'ACTIVE_READY'),
        version: version(),
      }),
    },
    [authorizeExternal],
  )
  const closing = opened.move()
  return {
    project,
    problems: checked.problems,
    repository,
    resources,
    reconciliations,
    administrator: {
      external: false,
      userId: 'openidm-admin',
      roles: ['openidm-admin'],
      transactionId: 'command-line',
    },
    changes,
    scheduler,
    auditHandlers,
    requireMapping: (name) => usableMapping(checked, name).mapping,
    recover: () =>
      reconciliations.recover([...checked.mappings.values()].map(({ mapping }) => mapping.links.type)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** True if scripts run after a change is stored that can take it back. */
function isTakenBack({ scripts }: UsableType): boolean {
  return ['postCreate', 'postUpdate', 'postDelete'].some((hook) => Object.hasOwn(scripts, hook))
}

/** What a server does by itself; what a dead process left comes first. */
async function startWork({ recover, changes, scheduler, auditHandlers }: Application): Promise<void> {
  for (const handler of auditHandlers) await handler.start()
  await recover()
  await changes.start()
  await scheduler.start()
}

/** Not kept: whoever asked disposes of them. */
async function rulesOfInline(
  content: JsonObject,
  checked: CheckedProject,
  engine: ScriptEngine,
): Promise<Rules> {
  const { mapping, scripts } = await usableInlineMapping(checked, content, engine)
  return loadRules(mapping, scripts, engine)
}

function scriptLog(log: OpenOptions['log']): Parameters<typeof scriptEngine>[1]['log'] {
  return (level, label, message) => {
    if (level === 'error' || level === 'warn' || level === 'info')
      log(level, label ? `${label}: ${message}` : message)
  }
}

function listedMappings(checked: CheckedProject): readonly ListedMapping[] {
  return [...checked.mappings.values()].map(({ mapping: { name, configuration, source, target } }) => ({
    name,
    configuration,
    sourceReady: isReady(checked, source),
    targetReady: isReady(checked, target),
  }))
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
  const { log, environment, announce, host } = options
  const application = opened.use(
    await openApplication({ ...options, log: (level, message) => log[level](message) }),
  )
  const { repository, resources, project } = application
  await ensureAdministrator({ settings: repository.settings, environment, announce })
  const authentication = administratorAuthentication(repository.settings)
  const contextPath = project.property('openidm.context.path')?.toString()
  const server = opened.use(httpServer({ resources, authentication, log, contextPath }))
  // Before the server: somebody may be waiting for the answer to a run.
  opened.defer(() => application.reconciliations.close())
  const port = options.port ?? Number(project.property('openidm.port.http') ?? 8080)
  const { url } = await server.listen({ host, port })
  const recovered = startWork(application)
  opened.defer(() => recovered)
  const closing = opened.move()
  return { url, application, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}
