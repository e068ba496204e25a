import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openAudit } from '../audit/configured-audit.ts'
import { historyProvider } from '../audit/history.ts'
import { auditProvider, auditStoreProvider } from '../audit/resource.ts'
import type { AuditService } from '../audit/service.ts'
import { Reconfiguration } from '../config/live/reconfiguration.ts'
import { watchFiles } from '../config/live/watch.ts'
import { keyFreshness } from '../config/master-key.ts'
import type { ConfigurationProblem, Project } from '../config/project.ts'
import { configProvider } from '../config/resource/config.ts'
import { versionsProvider } from '../config/resource/history.ts'
import { fileSecrets } from '../config/secrets.ts'
import type { System } from '../connectors/system/open-system.ts'
import { administratorAuthentication, ensureAdministrator } from '../http/authentication/authentication.ts'
import { httpServer } from '../http/server.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { LocalEvents } from '../repository/local/events.ts'
import { LocalLocks } from '../repository/local/locks.ts'
import type { Repository } from '../repository/repository.ts'
import { openSqlite, sqliteOptions } from '../repository/sqlite/open.ts'
import type { RequestContext, ResourceProvider, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { isSecretAt } from '../router/secret-fields.ts'
import { jobProvider, schedulerProvider, triggerProvider } from '../schedule/resource.ts'
import { Scheduler } from '../schedule/scheduler.ts'
import { services } from '../schedule/services.ts'
import { taskScannerProvider } from '../schedule/tasks/resource.ts'
import { TaskScanner } from '../schedule/tasks/task-scanner.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { implicitSync } from '../sync/changes/implicit/implicit-sync.ts'
import { onChange } from '../sync/changes/implicit/on-change.ts'
import { ChangeQueue } from '../sync/changes/queue/change-queue.ts'
import { Underway } from '../sync/reconciliation/active-operations.ts'
import { Occupied } from '../sync/reconciliation/in-use.ts'
import { Reconciliations } from '../sync/reconciliation/reconciliations.ts'
import { associationsProvider } from '../sync/resources/associations.ts'
import { linkedViewProvider } from '../sync/resources/linked-view.ts'
import { deadLetterProvider, stageProvider } from '../sync/resources/live-sync.ts'
import { queueProvider } from '../sync/resources/queue.ts'
import { reconciliationProvider } from '../sync/resources/recon.ts'
import { repoLinkProvider } from '../sync/resources/repo-link.ts'
import { syncProvider } from '../sync/resources/sync.ts'
import { type ProjectOptions, readConfiguration, scriptEngine, usableMapping } from './checked-project.ts'
import { connectorKinds, connectorSchemas } from './connectors.ts'
import { bootFile, type Foundation, type Generation, openGeneration } from './generation.ts'
import { Generations } from './generations.ts'
import { type KeyRotation, resealEverything } from './key-rotation.ts'
import { recordConfigurationChange } from './recorded-configuration.ts'
import { Shared } from './ref-counted.ts'
import { healthProvider } from './resources/health.ts'
import { infoProvider } from './resources/info.ts'
import { validateQueryFilterProvider } from './resources/validate-query-filter.ts'
import { version } from './version.ts'

/**
 * The composition root: builds everything from a project folder and hands it over; nothing in here decides anything.
 *
 * What depends on the configuration is a generation (generation.ts), which the next one replaces when the configuration changes;
 * everything else stays as long as the application does, and asks for the present generation each time.
 */
export interface Application extends AsyncDisposable {
  /** As it is in force now. */
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
  /** Handlers write nothing until it is started. */
  readonly audit: AuditService
  /** For the command line: whoever can write the data folder is the administrator. */
  readonly administrator: RequestContext
  /** ConfigurationFailure with the mapping's own errors, or NOT_FOUND with the nearest name. */
  requireMapping(name: string): Mapping
  /** Settles what runs of earlier processes left undone, as far as their targets can be read. */
  recover(): Promise<void>
  /** From now on access that is limited in time begins and ends by itself (platform §6.4). */
  keepTime(): Promise<void>
  /** Makes a new key and encrypts everything anew; with `forgetOld`, what is not encrypted anew is lost. */
  rotateKey(options: { readonly forgetOld: boolean }): Promise<KeyRotation>
  /** From now on until it is disposed of, changes of the project's files are taken up, each with its version. */
  followFiles(): Promise<AsyncDisposable>
}

export interface OpenOptions extends ProjectOptions {
  readonly dataFolder: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export async function openApplication(options: OpenOptions): Promise<Application> {
  await using opened = new AsyncDisposableStack()
  const { dataFolder, environment, log } = options
  const kinds = connectorKinds(options.connectors)
  const schemas = connectorSchemas(kinds)
  const secrets = fileSecrets({ keyFile: join(dataFolder, 'key'), env: environment })
  // Each of these is used by what it is built from: they are there when the first request comes.
  let resources: Resources | undefined
  let generations: Generations<Generation> | undefined
  const routes = () => resources as Resources
  const current = () => (generations as Generations<Generation>).current
  const during = <T>(work: () => Promise<T>) => (generations as Generations<Generation>).during(work)

  const project = await readConfiguration(options)
  const store = opened.use(await openSqlite(join(dataFolder, 'syncline.db'), sqliteOptions(environment)))
  const audit = opened.use(openAudit({ repository: store, resources: routes, dataFolder, log }))
  const { repository } = audit
  const locks = opened.use(new LocalLocks(store))
  const events = new LocalEvents(log)
  const occupied = new Occupied()
  const single = {
    repository,
    resources: routes,
    locks,
    underway: new Underway(),
    rulesOf: (mapping: string) => current().rulesOf(mapping),
    log,
    mappings: () => current().mappings,
  }
  const notify = implicitSync(single)
  const engines = new Shared<ScriptEngine>()
  const foundation: Foundation = {
    repository,
    audit,
    secrets,
    systems: new Shared<System>(),
    kinds,
    onChange: onChange({
      ...single,
      wake: (mapping) => events.publish({ topic: 'queue', mapping }),
      mayBeTakenBack: (path) => current().mayBeTakenBack(path),
    }),
    liveSync: { ...single, notify },
    log,
    engineFor: (one) =>
      engines.use(engineKey(one), async () =>
        scriptEngine(one, { resources: routes, secrets, log: scriptLog(log) }),
      ),
  }
  generations = opened.use(new Generations(await openGeneration(project, foundation)))
  await audit.configure(current().audit)
  // While there is a generation to filter with, and to write to.
  opened.defer(() => audit[Symbol.asyncDispose]())
  const reconciliations = new Reconciliations({
    ...single,
    events,
    during,
    occupy: (request) => reconfiguration.settled().then(() => occupied.byRun(request, current().mappings)),
    inlineRules: (mapping) => current().inlineRules(mapping),
  })
  const changes = opened.use(
    new ChangeQueue({ ...single, during, isActive: (...of) => reconciliations.isActive(...of) }),
  )
  opened.use(events.subscribe(['queue'], ({ mapping }) => changes.wake(mapping)))
  opened.use(events.subscribe(['configuration'], () => changes.reconfigured()))
  opened.defer(() => reconciliations.close())
  const scripted = {
    resources: routes,
    engine: () => current().engine,
    readFile: (path: string) => current().project.readFile(path),
  }
  const tasks = opened.use(new TaskScanner({ ...scripted, during, log }))
  const scanTasks = tasks.execute.bind(tasks)
  const scheduled = { repository, services: services({ ...scripted, scanTasks }), locks, during, log }
  const scheduler = opened.use(new Scheduler(scheduled, current().checked.jobs))
  let keepsTime = false
  const reconfiguration: Reconfiguration<Generation> = new Reconfiguration<Generation>({
    repository,
    current,
    prepare: async (files) => openGeneration(await readConfiguration(options, files), foundation),
    async activate(next) {
      generations?.replace(next)
      await audit.configure(next.audit)
      await scheduler.configure(next.checked.jobs)
      if (keepsTime) await next.managed.start()
      events.publish({ topic: 'configuration' })
    },
    occupied: async () => [
      ...occupied.list(),
      ...(await occupied.elsewhere(reconciliations, current().mappings)),
    ],
    connectorSchemas: schemas,
    encrypt: (value) => secrets.encrypt(value, null, configurationKey(current().project)),
    record: recordConfigurationChange(schemas),
    log,
  })
  const mounts: Readonly<Record<string, ResourceProvider>> = {
    'repo/synchronisation/pooledSyncStage': stageProvider(repository),
    'repo/synchronisation/deadLetterQueue': deadLetterProvider(repository),
    config: configProvider({
      documents: () => current().project.documents,
      reconfiguration,
      connectorSchemas: schemas,
      transform: (script, variables, request) => current().transform(script, variables, request),
    }),
    'config/history': versionsProvider(repository, schemas),
    sync: syncProvider({ ...single, reconciliations, notify }),
    'sync/queue': queueProvider(
      repository,
      (mapping) => events.publish({ topic: 'queue', mapping }),
      (set, pointer) => isSecretAt(routes(), set, pointer),
    ),
    scheduler: schedulerProvider,
    taskscanner: taskScannerProvider(tasks, async (name) => {
      const job = scheduler.job(name)
      return job?.service === 'taskscanner' ? job.context : undefined
    }),
    'scheduler/job': jobProvider(scheduler, routes),
    'scheduler/trigger': triggerProvider(scheduler),
    'scheduler/waitingTriggers': triggerProvider(scheduler, ['NORMAL', 'PAUSED']),
    'scheduler/acquiredTriggers': triggerProvider(scheduler, ['ACQUIRED']),
    recon: reconciliationProvider(reconciliations, repository),
    'recon/assoc': associationsProvider(repository, routes),
    'repo/link': repoLinkProvider(
      repository,
      (name) => current().checked.mappings.get(name)?.mapping.links.type,
    ),
    'endpoint/linkedView': linkedViewProvider(single),
    'util/validateQueryFilter': validateQueryFilterProvider,
    health: healthProvider({ activeReconciliations: () => reconciliations.activeCount }),
    audit: auditProvider({ audit, resources: routes }),
    'repo/audit': auditStoreProvider({ audit }),
    history: historyProvider(repository),
    info: infoProvider({
      state: () => (reconciliations.closing ? 'STOPPING' : 'ACTIVE_READY'),
      version: version(),
    }),
  }
  resources = router(
    () => ({ ...mounts, ...current().mounts }),
    // What a request passes, and is answered from, stays until it is answered.
    () => [(_request, next) => during(next), ...current().filters],
  )
  const closing = opened.move()
  return {
    get project() {
      return current().project
    },
    get problems() {
      return current().problems
    },
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
    audit,
    requireMapping: (name) => usableMapping(current().checked, name).mapping,
    recover: () => reconciliations.recover(current().mappings.map(({ links }) => links.type)),
    async keepTime() {
      keepsTime = true
      await current().managed.start()
    },
    async rotateKey({ forgetOld }) {
      await secrets.rotate()
      // A server that runs looks for a new key once in a while: what it encrypts until then must not be forgotten.
      if (forgetOld) await setTimeout(2 * keyFreshness)
      const author = { userId: 'openidm-admin', transactionId: 'key-rotation' }
      const counts = await resealEverything({
        ...{ secrets, repository, documents: current().project.documents },
        change: (id, edit) => reconfiguration.change(id, (raw) => edit(raw ?? {}), author),
      })
      if (forgetOld) await secrets.forgetOld()
      return counts
    },
    async followFiles() {
      await reconfiguration.begin()
      const { property } = current().project
      if (property('openidm.fileinstall.enabled') === false) return { [Symbol.asyncDispose]: async () => {} }
      return watchFiles(current, reconfiguration, Number(property('openidm.fileinstall.poll') ?? 1000))
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** Projects with the same one can have the same script engine. */
function engineKey(project: Project): string {
  const { content } = project.documents.find(({ id }) => id === 'script') ?? {}
  return JSON.stringify([content, project.readFile(bootFile)])
}

/** The name of the key that configuration is encrypted under (platform §3.2). */
function configurationKey({ property }: Project): string {
  return String(property('openidm.config.crypto.alias') ?? 'openidm-sym-default')
}

/** What a server does by itself; what a dead process left comes first. */
async function startWork({ recover, changes, keepTime, scheduler, audit }: Application): Promise<void> {
  await audit.start()
  await recover()
  await changes.start()
  await keepTime()
  await scheduler.start()
}

function scriptLog(log: OpenOptions['log']): Parameters<typeof scriptEngine>[1]['log'] {
  return (level, label, message) => {
    if (level === 'error' || level === 'warn' || level === 'info')
      log(level, label ? `${label}: ${message}` : message)
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
  const { log, environment, announce, host } = options
  const application = opened.use(
    await openApplication({ ...options, log: (level, message) => log[level](message) }),
  )
  const { repository, resources, audit } = application
  await ensureAdministrator({ settings: repository.settings, environment, announce })
  const authentication = administratorAuthentication(repository.settings)
  const contextPath = application.project.property('openidm.context.path')?.toString()
  const server = opened.use(
    httpServer({ resources, authentication, log, contextPath, witness: audit.witness }),
  )
  // Before the server: somebody may be waiting for the answer to a run.
  opened.defer(() => application.reconciliations.close())
  const port = options.port ?? Number(application.project.property('openidm.port.http') ?? 8080)
  opened.use(await application.followFiles())
  const { url } = await server.listen({ host, port })
  const recovered = startWork(application)
  opened.defer(() => recovered)
  const closing = opened.move()
  return { url, application, [Symbol.asyncDispose]: () => closing.disposeAsync() }
}
