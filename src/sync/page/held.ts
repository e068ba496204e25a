import { diff } from '../../model/diff.ts'
import type { Shape, Shaped } from '../../plan/shape.ts'
import type { ObjectSet, Resource } from '../../router/resources.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'

/**
 * Shapes compared as the target holds their values (engine §4.3): what would be read back as it is now is no change, for a plan
 * as little as for a run. Asked only about updates that change something.
 */
export async function asHeld<T extends Shaped>(
  targets: ObjectSet,
  page: readonly { readonly target: Resource | undefined }[],
  outcomes: readonly (ScriptOutcome<T> | undefined)[],
): Promise<readonly (ScriptOutcome<T> | undefined)[]> {
  if (!targets.asHeld) return outcomes
  let held: (ScriptOutcome<T> | undefined)[] | undefined
  for (const [place, outcome] of outcomes.entries()) {
    const existing = page[place]?.target
    const shape = outcome?.ok ? outcome.value.shape : undefined
    if (!outcome?.ok || !existing || !shape?.desired || shape.changes.length === 0) continue
    held ??= [...outcomes]
    const compared = withContent(shape, existing, await targets.asHeld(shape.desired, existing))
    held[place] = { ...outcome, value: { ...outcome.value, shape: compared } }
  }
  return held ?? outcomes
}

function withContent(shape: Shape, existing: Resource, content: Shape['desired'] & object): Shape {
  const changes = diff(existing, content)
  return { ...shape, changes, desired: changes.length > 0 ? content : undefined }
}
