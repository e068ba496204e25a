import type { Mapping } from '../../mapping/mapping.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import type { PlanLine } from '../../plan/plan-line.ts'
import type { Lease } from '../../repository/locks.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import type { Recorded } from '../page/operation.ts'
import type { Rules } from '../page/rules.ts'
import type { Synchronization } from '../page/synchronization.ts'
import type { PlanSource } from '../plans/plan-source.ts'
import type { SyncServices } from '../services.ts'
import type { Run } from './run.ts'

/** One run, fully specified: the mapping's own settings with this run's overrides applied. */
export interface Reconciliation extends Pick<SyncServices, 'repository' | 'locks' | 'runSets' | 'log'> {
  readonly run: Run
  readonly rules: Rules
  readonly settings: Mapping['reconciliation']
  /** The one source id of a `reconById`; undefined for a whole run. */
  readonly sourceId: string | undefined
  readonly associations: boolean
  /** In a dry run, let `onCreate` and `onUpdate` shape the target without writing. */
  readonly foreseeHooks: boolean
  /** What is to be performed, and nothing else; undefined: whatever the queries find. */
  readonly plan: PlanSource | undefined
  readonly planFilter?: ((line: PlanLine) => boolean) | undefined
  readonly resources: Resources
  /** All of them are held, or the run ends: its pages are refused where one is lost. */
  readonly leases: readonly Lease[]
  readonly request: RequestContext
  /** True for runs that some process is working on. */
  readonly isActive: (runId: string, worker: string) => Promise<boolean>
  /** Sees every decided operation; a plan is made of these. */
  readonly onEntry?: ((entry: PlanEntry, operation: Recorded, sync: Synchronization) => void) | undefined
  /** Awaited after each page: what a page gave is put away before the next one. */
  readonly onPage?: (() => Promise<void>) | undefined
  readonly onProgress?: (() => void) | undefined
}

/** On whose behalf the run's scripts work; in a dry run they cannot write. */
export function scriptContext({ request, run }: Reconciliation): ScriptContext {
  return {
    request: { ...request, readOnly: run.analysis },
    extra: { trigger: { triggerSource: 'recon' }, recon: { _id: run.id, mapping: run.mapping } },
  }
}
