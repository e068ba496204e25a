import type { Shaped } from '../../plan/shape.ts'
import type { ScriptContext, ScriptOutcome } from '../../scripts/engine.ts'
import type { Synchronization } from './synchronization.ts'

/**
 * Decisions in which a hook failed while it was foreseen. If no script wanted to write, it fails in the run as well, and that is
 * what is foreseen; otherwise it may come to something else when it may write. Scripts that could write are asked for one object
 * at a time, so what was refused was this object's.
 */
export async function withCertainty<T extends Shaped>(
  { hooks, scripts }: Pick<Synchronization, 'hooks' | 'scripts'>,
  ask: (scripts: ScriptContext) => Promise<readonly ScriptOutcome<T>[]>,
): Promise<readonly ScriptOutcome<T>[]> {
  if (hooks !== 'foresee') return ask(scripts)
  let wantedToWrite = false
  const request = {
    ...scripts.request,
    onRefusedWrite: (fact: string) => {
      wantedToWrite = true
      scripts.request.onRefusedWrite?.(fact)
    },
  }
  const outcomes = await ask({ ...scripts, request })
  return wantedToWrite ? outcomes : outcomes.map(certain)
}

function certain<T extends Shaped>(outcome: ScriptOutcome<T>): ScriptOutcome<T> {
  if (!outcome.ok || !outcome.value.hookProblem) return outcome
  const { shape, unforeseen, hookProblem, ...rest } = outcome.value
  // What is left of the decision has the same members as one whose shaping failed.
  return { ...outcome, value: { ...rest, shapingProblem: hookProblem } as T }
}
