import { diff } from '../../model/diff.ts'
import type { Shaped } from '../../plan/shape.ts'
import type { ObjectSet, ProposedUpdate, Resource } from '../../router/resources.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'
import { askThose } from './places.ts'

/**
 * Shapes compared as the target holds their values (engine §4.3): what would be read back as it is now is no change, for a plan
 * as little as for a run. Asked only about updates that change something.
 */
export async function asHeld<T extends Shaped>(
  targets: ObjectSet,
  page: readonly { readonly target: Resource | undefined }[],
  outcomes: readonly (ScriptOutcome<T> | undefined)[],
): Promise<readonly (ScriptOutcome<T> | undefined)[]> {
  const { asHeld: hold } = targets
  if (!hold) return outcomes
  const contents = await askThose(
    outcomes,
    (outcome, place): ProposedUpdate | undefined => {
      const existing = page[place]?.target
      const { desired: content, changes = [] } = (outcome?.ok && outcome.value.shape) || {}
      return existing && content && changes.length > 0 ? { content, existing } : undefined
    },
    hold,
  )
  return outcomes.map((outcome, place) => {
    const [content, existing] = [contents[place], page[place]?.target]
    if (!content || !existing || !outcome?.ok) return outcome
    const changes = diff(existing, content)
    const shape = { ...outcome.value.shape, changes, desired: changes.length > 0 ? content : undefined }
    return { ...outcome, value: { ...outcome.value, shape } }
  })
}
