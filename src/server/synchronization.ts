import type { Project } from '../config/project.ts'
import type { Part } from '../feature/feature.ts'
import { localRunSets } from '../repository/local/run-sets.ts'
import { isSecretAt } from '../router/secret-fields.ts'
import { implicitSync, type Notify } from '../sync/changes/implicit/implicit-sync.ts'
import { onChange } from '../sync/changes/implicit/on-change.ts'
import { ChangeQueue } from '../sync/changes/queue/change-queue.ts'
import { RunFlows } from '../sync/changes/run-flows.ts'
import { ChangeWindows } from '../sync/changes/windows.ts'
import { type Configured, expireGone } from '../sync/issues/present.ts'
import type { Rehearsal } from '../sync/plans/rehearse.ts'
import { InUse } from '../sync/reconciliation/in-use.ts'
import { Reconciliations } from '../sync/reconciliation/reconciliations.ts'
import { associationsProvider } from '../sync/resources/associations.ts'
import { issuesProvider } from '../sync/resources/issues.ts'
import { linkedViewProvider } from '../sync/resources/linked-resources.ts'
import { deadLetterProvider, pendingDeletionProvider, stageProvider } from '../sync/resources/live-sync.ts'
import { plansProvider } from '../sync/resources/plans.ts'
import { queueProvider } from '../sync/resources/queue.ts'
import { reconciliationProvider } from '../sync/resources/recon.ts'
import { repoLinkProvider } from '../sync/resources/repo-link.ts'
import { syncProvider } from '../sync/resources/sync.ts'
import { ActiveOperations, type SyncServices } from '../sync/services.ts'
import type { Generation } from './generation.ts'
import type { Base } from './services.ts'

export interface SynchronizationOptions extends Base {
  /** The current generation. */
  readonly current: () => Generation
  during<T>(work: () => Promise<T>): Promise<T>
  /** A world beside this one, for plans. */
  readonly rehearse: () => Promise<Rehearsal>
  /** Waits for a change of the configuration. */
  readonly unchanging: () => Promise<void>
}

/** The parts of synchronization that do not depend on the configuration: runs, implicit changes, and their resources. */
export function synchronization({
  current,
  during,
  unchanging,
  rehearse,
  ...options
}: SynchronizationOptions) {
  const { repository, resources, locks, events, log } = options
  const mappings = () => [...current().mappings.values()].map(({ mapping }) => mapping)
  const configured = () => configuredMappings(current().project)
  const inUse = new InUse()
  const single = {
    ...{ repository, resources, locks, log, mappings, during },
    runSets: localRunSets(),
    activeOperations: new ActiveOperations(),
    flows: new RunFlows(),
    windows: new ChangeWindows(repository.links),
    rulesOf: (mapping: string) => current().rulesOf(mapping),
  }
  const notify = implicitSync(single)
  // What a liveSync is about to do is counted as a whole, before it begins.
  const counted = { ...single, windows: undefined }
  const reconciliations = new Reconciliations({
    ...single,
    events,
    markInUse: async (request) => {
      await unchanging()
      return inUse.byRun(request, mappings())
    },
    inlineRules: (mapping) => current().inlineRules(mapping),
  })
  const changes = new ChangeQueue({ ...single, isActive: (...of) => reconciliations.isActive(...of) })
  const wake = (mapping: string) => events.publish({ topic: 'queue', mapping })
  const heard = [
    events.subscribe(['queue'], ({ mapping }) => changes.wake(mapping)),
    events.subscribe(['configuration'], () => changes.reconfigured()),
  ]
  const part: Part = {
    mounts: mountsOf({ ...options, current, rehearse, single, reconciliations, notify, wake, configured }),
    start: () => expireGone(repository.issues, configured()),
    async [Symbol.asyncDispose]() {
      await reconciliations.close()
      for (const subscription of heard) subscription[Symbol.dispose]()
      await changes[Symbol.asyncDispose]()
    },
  }
  return {
    ...{ reconciliations, changes, flows: single.flows, part },
    liveSyncOptions: { ...counted, notify: implicitSync(counted) },
    onChange: onChange({ ...single, wake, mayBeTakenBack: (path) => current().mayBeTakenBack(path) }),
    /** Everything in use, in this and in other processes. */
    inUse: () => inUse.all(reconciliations, mappings()),
    recover: () => reconciliations.recover(mappings().map(({ links }) => links.type)),
  }
}

interface Mounting extends Pick<SynchronizationOptions, 'repository' | 'resources' | 'current' | 'rehearse'> {
  readonly single: SyncServices
  readonly reconciliations: Reconciliations
  readonly notify: Notify
  readonly wake: (mapping: string) => void
  readonly configured: () => Configured
}

function mountsOf(given: Mounting): NonNullable<Part['mounts']> {
  const { repository, resources, current, rehearse, single, reconciliations, notify, wake, configured } =
    given
  return {
    'repo/synchronisation/pooledSyncStage': stageProvider(repository),
    'repo/synchronisation/deadLetterQueue': deadLetterProvider(repository),
    'repo/synchronisation/pendingDeletions': pendingDeletionProvider(repository),
    sync: syncProvider({ ...single, reconciliations, notify }),
    'sync/queue': queueProvider(repository, wake, (set, pointer) => isSecretAt(resources(), set, pointer)),
    'sync/issues': issuesProvider({ ...single, reconciliations, configured }),
    recon: reconciliationProvider({
      ...{ reconciliations, repository, rehearse },
      mappings: () => [...current().mappings.keys()],
    }),
    'recon/plans': plansProvider(repository.runs),
    'recon/assoc': associationsProvider(repository, resources),
    'repo/link': repoLinkProvider(repository, (name) => current().mappings.get(name)?.mapping.links.type),
    'endpoint/linkedView': linkedViewProvider(single),
  }
}

/** Those with errors, too: they are to be mended, not forgotten. */
function configuredMappings({ documents, declaredMappings }: Project): Configured {
  const isUnknown = documents.some(({ id, raw }) => raw === undefined && /^(?:sync$|mapping\/)/.test(id))
  return isUnknown ? undefined : new Set(declaredMappings.map(({ name }) => name))
}
