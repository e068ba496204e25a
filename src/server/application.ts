import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { auditFileKey } from '../audit/file-key.ts'
import { AuditService } from '../audit/service.ts'
import type { Logins } from '../authentication/logins.ts'
import { Sessions } from '../authentication/sessions.ts'
import { fileConfiguration } from '../config/live/file-store.ts'
import type { ConfigurationProblem, Project } from '../config/project.ts'
import { fileSecrets } from '../config/secrets.ts'
import type { System } from '../connectors/system/open-system.ts'
import type { Part } from '../feature/feature.ts'
import type { Log } from '../kit/log.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Events } from '../repository/events.ts'
import { LocalEvents } from '../repository/local/events.ts'
import { LocalLocks } from '../repository/local/locks.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import { openSqlite, sqliteOptions } from '../repository/sqlite/open.ts'
import type { RequestContext, ResourceProvider, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import type { ChangeQueue } from '../sync/changes/queue/change-queue.ts'
import type { RunFlows } from '../sync/changes/run-flows.ts'
import { ForeseenNames, type Rehearsal } from '../sync/plans/rehearse.ts'
import type { Reconciliations } from '../sync/reconciliation/reconciliations.ts'
import { featuresOf, type ProjectOptions, readConfiguration } from './check.ts'
import { configuration } from './configuration.ts'
import { connectorKinds, connectorSchemas } from './connectors.ts'
import { type Generation, openGeneration } from './generation.ts'
import { Generations } from './generations.ts'
import { type KeyRotation, rotateKey } from './key-rotation.ts'
import { RefCounted } from './ref-counted.ts'
import { NotDone, rehearsalFolder, rehearsing, removeLeftRehearsals } from './rehearsal.ts'
import type { Base } from './services.ts'
import { synchronization } from './synchronization.ts'
import { usableMapping } from './usable.ts'

/**
 * The composition root: builds everything from a project folder and passes it on. It contains no decisions.
 *
 * Everything that depends on the configuration is in a generation (generation.ts), which is replaced when the
 * configuration changes. Everything else lives as long as the application, and asks for the current generation each time.
 */
export interface Application extends AsyncDisposable {
  /** The current configuration. */
  readonly project: Project
  /** What is wrong in the configuration. Parts with errors are left out; the rest works. */
  readonly problems: readonly ConfigurationProblem[]
  /** What is doubtful in it besides; looked for when somebody first asks. */
  doubts(): Promise<readonly ConfigurationProblem[]>
  readonly repository: Repository
  readonly resources: Resources
  readonly locks: Locks
  readonly sessions: Sessions
  readonly events: Events
  /** The ways to log in that the current configuration has, besides the administrator's. */
  readonly logins: Logins
  readonly reconciliations: Reconciliations
  /** Queued changes; they are not processed before `start`. */
  readonly changes: ChangeQueue
  readonly flows: RunFlows
  /** Handlers write nothing until `start`. */
  readonly audit: AuditService
  /** For the command line: a user who can write the data folder is an administrator. */
  readonly administrator: RequestContext
  /** The names of the mappings that can be used, in their order. */
  readonly mappings: readonly string[]
  /** ConfigurationFailure with the mapping's own errors, or NOT_FOUND with the nearest name. */
  requireMapping(name: string): Mapping
  /** A world that begins as this one is now; plans can be performed there. The caller disposes of it. */
  rehearse(): Promise<Rehearsal>
  /** Resolves the unfinished operations of runs of earlier processes, if their targets can be read. */
  recover(): Promise<void>
  /** Starts the background work of a server. First it recovers the work of crashed processes. */
  start(): Promise<void>
  /** Makes a new key and encrypts everything anew; with `forgetOld`, what is not encrypted anew is lost. */
  rotateKey(options: { readonly forgetOld: boolean }): Promise<KeyRotation>
  /** Until it is disposed of, reloads changed files of the project and records each as a version. */
  followFiles(): Promise<AsyncDisposable>
}

export interface OpenOptions extends ProjectOptions {
  readonly dataFolder: string
  readonly log: Log
}

export async function openApplication(options: OpenOptions): Promise<Application> {
  await using opened = new AsyncDisposableStack()
  const { dataFolder, environment } = options
  const project = await readConfiguration(options)
  const store = opened.use(await openSqlite(join(dataFolder, 'syncline.db'), sqliteOptions(environment)))
  await removeLeftRehearsals(dataFolder)
  return openOn(store, project, options, opened.move())
}

/** `closing`: what the application disposes of at its end. */
async function openOn(
  store: Repository,
  project: Project,
  options: OpenOptions,
  closing: AsyncDisposableStack,
): Promise<Application> {
  await using opened = closing
  const { dataFolder, environment, log } = options
  const secrets = fileSecrets({ keyFile: join(dataFolder, 'key'), env: environment })
  const generations = new Generations<Generation>()
  const { routes, mount } = routing(generations)
  const resources = () => routes
  const audit = opened.use(
    new AuditService({
      ...{ repository: store, resources, log, fileKey: () => auditFileKey(dataFolder) },
      print: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
    }),
  )
  const { repository } = audit
  const locks = opened.use(new LocalLocks(store))
  const events = new LocalEvents(log)
  opened.use(generations)
  // While there is a generation to filter with, and to write to.
  opened.defer(() => audit[Symbol.asyncDispose]())
  const rehearse = () => rehearsalOn(store, generations.current.project, options)
  const sessions = new Sessions({ settings: repository.settings, secrets, log })
  const base = { repository, resources, audit, secrets, sessions, locks, events, log }
  const server = assemble(options, base, generations, rehearse)
  for (const part of server.parts) mount(part)
  generations.replace(await server.open(project))
  await generations.current.activate()
  for (const part of server.parts) opened.defer(async () => part[Symbol.asyncDispose]?.())
  return application(
    server,
    { repository, resources: routes, audit, locks, secrets, sessions, events, rehearse },
    generations,
    opened.move(),
  )
}

/** The same project over a branch of the store, and over systems that keep what is written to themselves. */
async function rehearsalOn(store: Repository, project: Project, options: OpenOptions): Promise<Rehearsal> {
  await using opened = new AsyncDisposableStack()
  const folder = await rehearsalFolder(options.dataFolder)
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  const branch = await store.branch(folder)
  const closing = new AsyncDisposableStack()
  closing.use(branch)
  const notDone = new NotDone()
  // What goes wrong is in the result; the log is of what happens.
  const apart = { ...rehearsing(options, notDone), log: () => {} }
  const { reconciliations, changes, flows } = opened.use(await openOn(branch, project, apart, closing))
  await changes.start()
  const kept = opened.move()
  return {
    ...{ reconciliations, changes, flows, folder, names: new ForeseenNames() },
    takeNotDone: () => notDone.take(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** The filters and providers of a request stay open until it is answered. */
function routing(generations: Generations<Generation>) {
  const lasting: Record<string, ResourceProvider> = {}
  const routes = router(
    () => ({ ...lasting, ...generations.current.mounts }),
    () => [(_request, next) => generations.during(next), ...generations.current.filters],
  )
  return { routes, mount: ({ mounts }: Part) => Object.assign(lasting, mounts) }
}

/** Builds everything that lives as long as the application, without starting anything. */
function assemble(
  options: OpenOptions,
  base: Base,
  generations: Generations<Generation>,
  rehearse: Application['rehearse'],
) {
  const current = () => generations.current
  const during = <T>(work: () => Promise<T>) => generations.during(work)
  const kinds = connectorKinds(options.connectors)
  const unchanging = () => reconfiguration.idle()
  const sync = synchronization({ ...base, current, during, unchanging, rehearse })
  const begun = featuresOf(options).map((feature) =>
    feature.begin({
      ...{ ...base, during },
      engine: () => current().engine,
      readFile: (path) => current().project.readFile(path),
      property: (name) => current().project.property(name),
      activeReconciliations: () => sync.reconciliations.activeCount,
      isStopping: () => sync.reconciliations.closing,
    }),
  )
  const shared = { systems: new RefCounted<System>(), engines: new RefCounted<ScriptEngine>() }
  const { onChange, liveSyncOptions } = sync
  const open = (project: Project) =>
    openGeneration(project, begun, {
      ...{ ...base, ...shared, kinds, onChange, liveSyncOptions },
      dataFolder: options.dataFolder,
    })
  let isStarted = false
  const filesRead = () => current().project.filesRead
  const files = fileConfiguration({ folder: options.projectFolder, filesRead })
  const { reconfiguration, part } = configuration({
    ...{ ...base, store: files, current, inUse: sync.inUse, connectorSchemas: connectorSchemas(kinds) },
    projectFolder: options.projectFolder,
    prepare: async (changed) => open(await readConfiguration(options, changed)),
    async activate(next) {
      generations.replace(next)
      await next.activate()
      if (isStarted) await next.start()
      base.events.publish({ topic: 'configuration' })
    },
  })
  const parts = [sync.part, part, ...begun.map((one) => one.part)]
  return {
    ...{ sync, reconfiguration, files, parts, open },
    async start() {
      await base.audit.start()
      await sync.recover()
      await sync.changes.start()
      isStarted = true
      await current().start()
      for (const one of parts) await one.start?.()
    },
  }
}

function application(
  { sync, reconfiguration, files, start }: ReturnType<typeof assemble>,
  {
    secrets,
    ...base
  }: Pick<Application, 'repository' | 'resources' | 'audit' | 'locks' | 'sessions' | 'events' | 'rehearse'> &
    Pick<Base, 'secrets'>,
  generations: Generations<Generation>,
  closing: AsyncDisposableStack,
): Application {
  const { reconciliations, changes, flows, recover } = sync
  const { repository } = base
  return {
    get project() {
      return generations.current.project
    },
    get problems() {
      return generations.current.problems
    },
    get logins() {
      return generations.current.logins
    },
    doubts: () => generations.current.doubts(),
    ...{ ...base, reconciliations, changes, flows, recover, start },
    administrator,
    get mappings() {
      return [...generations.current.mappings.keys()]
    },
    requireMapping: (name) => usableMapping(generations.current, name).mapping,
    rotateKey: ({ forgetOld }) =>
      rotateKey({
        ...{ secrets, repository, forgetOld, documents: generations.current.project.documents },
        async change(id, edit) {
          await reconfiguration.change(id, (raw) => edit(raw ?? {}), keyRotator)
        },
      }),
    async followFiles() {
      await reconfiguration.begin()
      const { property } = generations.current.project
      if (property('openidm.fileinstall.enabled') === false) return { [Symbol.asyncDispose]: async () => {} }
      const interval = Number(property('openidm.fileinstall.poll') ?? 1000)
      return files.watch(() => reconfiguration.reload(), { interval })
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

const administrator = {
  ...{ external: false, userId: 'openidm-admin', roles: ['openidm-admin'] },
  ...{ transactionId: 'command-line', trigger: 'cli' as const },
}
const keyRotator = { ...administrator, transactionId: 'key-rotation' }
