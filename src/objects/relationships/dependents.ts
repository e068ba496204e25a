import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import type { Store } from '../../repository/repository.ts'
import { constraintsProperty, type Dependent, type RelationshipModel } from './model.ts'

/**
 * Changed objects on which more distant objects depend. They are recorded in the transaction of the change. The dependent
 * objects are recomputed after the commit, or when a server starts (recompute.ts).
 */
export const pendingRecomputations = 'internal/dependents'

/** What changed at an object: names of properties. */
export interface Changed {
  readonly collection: string
  readonly id: string
  readonly changed: readonly string[]
}

/** True if other objects depend on any of the changes. */
export async function noteDependents(
  store: Store,
  model: RelationshipModel,
  changes: readonly Changed[],
): Promise<boolean> {
  const relevant = changes.filter(
    (one) => dependentsOf(model, one).length > 0 || notifiedBy(model, one).length > 0,
  )
  if (relevant.length === 0) return false
  await store.objects.write(
    pendingRecomputations,
    relevant.map(({ collection, id, changed }) => ({
      ...{ operation: 'create' as const, id: timeOrderedId() },
      content: { collection, id, changed: [...changed] },
    })),
  )
  return true
}

/** What depends on what changed. */
export function dependentsOf(
  { types, dependents }: RelationshipModel,
  { collection, changed }: Changed,
): readonly Dependent[] {
  const type = types.get(collection)
  const isOwn = (name: string) => !type?.properties.has(name) && !type?.hidden.has(name)
  return (dependents.get(collection) ?? []).filter(({ properties }) =>
    changed.some((name) => (properties ? properties.has(name) : isOwn(name) || name === constraintsProperty)),
  )
}

/** Relationships of the object whose other ends are notified of what changed (`notifyRelationships`). */
export function notifiedBy(
  { types }: RelationshipModel,
  { collection, changed }: Changed,
): readonly string[] {
  const notified = types.get(collection)?.notifiedOf
  return [...new Set(changed.flatMap((name) => notified?.get(name) ?? []))]
}
