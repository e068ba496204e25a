import type { Mapping } from '../../mapping/mapping.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import type { Lease } from '../../repository/locks.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import type { Recorder } from '../page/apply/apply.ts'
import type { Applied, Decided } from '../page/operation.ts'
import type { Rules } from '../page/rules.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { SyncServices } from '../services.ts'
import type { ReconciliationRequest } from './request.ts'
import type { Run } from './run.ts'

export interface RunObservers {
  /** Sees every decided operation; a plan is made of these. */
  readonly onEntry?: (entry: PlanEntry, operation: Applied, sync: Synchronization) => void
  /** Awaited after each page: what a page gave is put away before the next one. */
  readonly onPage?: () => Promise<void>
  readonly onProgress?: (run: Run) => void
}

/** One run, fully specified: the mapping's own settings with this run's overrides applied. */
export interface Reconciliation
  extends Pick<SyncServices, 'repository' | 'locks' | 'runSets' | 'log'>,
    Pick<
      ReconciliationRequest,
      'sourceId' | 'retry' | 'persistAssociations' | 'foreseeHooks' | 'plan' | 'planFilters' | 'undoes'
    >,
    RunObservers {
  readonly run: Run
  readonly rules: Rules
  readonly settings: Mapping['reconciliation']
  readonly resources: Resources
  /** All of them are held, or the run ends: its pages are refused where one is lost. */
  readonly leases: readonly Lease[]
  /** Why the guard is overridden; undefined where it is not. */
  readonly override: string | undefined
  readonly request: RequestContext
  /** True for runs that some process is working on. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
  readonly recorder: Recorder
  /** Counts each page before it is written; absent: nothing is limited. */
  readonly brake?:
    | {
        takes(page: readonly Decided[], judge: () => Promise<readonly Applied[]>): Promise<void>
        settle(page: readonly Decided[], done: readonly Applied[]): void
      }
    | undefined
}

/** On whose behalf the run's scripts work; in a dry run they cannot write. */
export function scriptContext({ request, run }: Reconciliation): ScriptContext {
  return {
    request: { ...request, readOnly: run.analysis },
    extra: { trigger: { triggerSource: 'recon' }, recon: { _id: run.id, mapping: run.mapping } },
  }
}
