import type { Action } from '../../mapping/situation.ts'
import type { Extent } from '../../plan/decide.ts'
import type { ShapingHooks } from '../../plan/shape.ts'
import type { Locks, Watch } from '../../repository/locks.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import type { RunSet } from '../../repository/run-sets.ts'
import type { ObjectSet, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import type { Listings } from './absence.ts'
import type { Correlator } from './correlate.ts'
import type { Foreseen } from './foreseen.ts'
import type { MappingLinks } from './links.ts'
import type { LostOperations } from './lost-operations.ts'
import type { Rules } from './rules.ts'
import type { SecretAttributes } from './secret-attributes.ts'

/**
 * What the steps share while one mapping runs: where to read and write, whose rules, on whose behalf. Each trigger builds its
 * own.
 */
export interface Synchronization {
  readonly rules: Rules
  readonly resources: Resources
  readonly sources: ObjectSet
  readonly targets: ObjectSet
  readonly repository: Repository
  readonly links: MappingLinks
  readonly correlator: Correlator
  readonly foreseen: Foreseen
  /** What is tried once more at the end of the run; absent where there is no such end. */
  readonly lost?: LostOperations | undefined
  readonly secrets: SecretAttributes
  readonly locks: Locks
  /** What others have worked on since the sets were queried. */
  readonly watch?: Watch | undefined
  readonly scripts: ScriptContext
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** The run's id; its operations are recorded under it. */
  readonly runId: string
  /** What the run's target query returned, and what of it no operation has dealt with yet; undefined without such a query. */
  readonly targetIds?: RunSet | undefined
  /** Undefined where nothing is concluded from absence. */
  readonly listings?: Listings | undefined
  /** Decide and shape, but change nothing. */
  readonly dryRun: boolean
  readonly hooks: ShapingHooks
  /** How far operations are decided: an action is enough where what it writes is not wanted. */
  readonly until: Extent
  /** The caller's action, whatever the policies say (engine §8.6). */
  readonly action?: Action
  /** The target that correlation finds, because the caller names it (engine §6.5). */
  readonly namedTarget?: string | undefined
  /** False where it is enough to know that a target is there, not what is in it. */
  readonly looksAtTargets: boolean
  /** Interrupts reading and deciding, as does that of `scripts`; neither is there while a page is applied. */
  readonly signal?: AbortSignal | undefined
}

/** While a page is applied: `targets` is where its objects go. */
export interface Applying extends Synchronization {
  /** The repository itself, or one transaction on it. */
  readonly store: Store
  /** True if `targets` are not part of the transaction: what is about to be written there is written down before. */
  readonly apart: boolean
}
