import type { Locks, Watch } from '../../repository/locks.ts'
import type { Repository } from '../../repository/repository.ts'
import type { ObjectSet, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import type { Correlator } from './correlate.ts'
import type { MappingLinks } from './links.ts'
import type { Rules } from './rules.ts'
import type { SecretAttributes } from './secret-attributes.ts'
import type { TargetIds } from './target-ids.ts'

/**
 * What the steps between reading and recording share while one mapping runs: where to read, where to write, whose
 * rules, on whose behalf. The triggers (reconciliation first) build it; the steps never look behind it.
 */
export interface Synchronization {
  readonly rules: Rules
  readonly resources: Resources
  readonly sources: ObjectSet
  readonly targets: ObjectSet
  readonly repository: Repository
  readonly links: MappingLinks
  readonly correlator: Correlator
  readonly secrets: SecretAttributes
  readonly locks: Locks
  /** What others have worked on since the sets were queried. */
  readonly watch: Watch | undefined
  readonly scripts: ScriptContext
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** The run's id; its operations are recorded under it. */
  readonly runId: string
  /** Known only when the run has queried the targets. */
  readonly targetIds: TargetIds | undefined
  /** Decide and shape, but change nothing. */
  readonly dryRun: boolean
  readonly hooks: Hooks
  /** False where only decisions are wanted, not what would be written. */
  readonly shapes: boolean
  /** False where it is enough to know that a target is there, not what is in it. */
  readonly looksAtTargets: boolean
  /** Interrupts reading and deciding, as does that of `scripts`; neither is there while a page is applied. */
  readonly signal: AbortSignal | undefined
}

/**
 * What becomes of `onCreate` and `onUpdate`: a run runs them, an analysis skips them (engine §7.9), and
 * a plan foresees them: it lets them shape the target, but not write anything.
 */
export type Hooks = 'run' | 'foresee' | 'skip'
