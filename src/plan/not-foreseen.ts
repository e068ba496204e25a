import type { Hook, Mapping } from '../mapping/mapping.ts'
import type { PlanHeader } from './plan-line.ts'

/** What a plan evaluates itself. */
const foreseen: readonly string[] = ['onMapping', 'onCreate', 'onUpdate'] satisfies readonly Hook[]

/** What runs for writes of one kind only. */
const after: Readonly<Record<string, 'creates' | 'updates' | 'deletes'>> = {
  postCreate: 'creates',
  postUpdate: 'updates',
  postDelete: 'deletes',
  onDelete: 'deletes',
}

/** What runs even where nothing is written. */
const always: readonly string[] = ['postMapping', 'onRecon', 'result'] satisfies readonly Hook[]

/**
 * The scripts that run when a plan is performed, and whose doings it does not foresee: those of the mapping, and those that the target set
 * runs after a write (`scriptsAfterWrites`).
 */
export function notForeseen(
  { hooks, target }: Pick<Mapping, 'hooks' | 'target'>,
  scriptsAfterWrites: readonly string[],
  writes: PlanHeader['writes'],
): readonly string[] {
  const isAny = Object.values(writes).some((count) => count > 0)
  const runs = (script: string) => {
    const kind = after[script]
    return kind === undefined ? isAny || always.includes(script) : writes[kind] > 0
  }
  const own = Object.keys(hooks).filter((hook) => !foreseen.includes(hook) && runs(hook))
  return [...own, ...scriptsAfterWrites.filter(runs).map((script) => `${script} of ${target}`)]
}
