import type { JsonObject } from '../../model/json.ts'
import type { SeenRelationship, Store } from '../../repository/repository.ts'
import { nextBoundary } from './constraints.ts'
import { constraintsProperty } from './model.ts'

/** The next time at which access changes by time alone, by object; kept in the store, so that a restart misses none. */
export const temporalTriggers = 'internal/boundary'

export interface TemporalTrigger {
  readonly collection: string
  readonly id: string
  /** ms since 1970. */
  readonly due: number
}

/** Of an object and its relationships; undefined if nothing of them is limited in time any more. */
export function nextTriggerOf(
  object: JsonObject,
  relationships: readonly Pick<SeenRelationship, 'properties'>[],
  now: number,
): number | undefined {
  const stated = [object, ...relationships.map(({ properties }) => properties)]
  const times = stated.flatMap((one) => nextBoundary(one[constraintsProperty], now) ?? [])
  return times.length > 0 ? Math.min(...times) : undefined
}

/** Replaces what was noted of the same objects. */
export async function noteTemporalTriggers(store: Store, noted: readonly TemporalTrigger[]): Promise<void> {
  if (noted.length === 0) return
  await store.objects.write(
    temporalTriggers,
    noted.flatMap(({ collection, id, due }) => {
      const key = `${collection}/${id}`
      return [
        { operation: 'delete' as const, id: key },
        { operation: 'create' as const, id: key, content: { collection, id, due } },
      ]
    }),
  )
}

/** Those that are due, the earliest first, and when the one after them is. */
export async function dueTriggers(
  { objects }: Pick<Store, 'objects'>,
  now: number,
  limit: number,
): Promise<{
  readonly due: readonly (TemporalTrigger & { readonly key: string })[]
  readonly next: number | undefined
}> {
  const { result } = await objects.query(temporalTriggers, {
    filter: { kind: 'present', pointer: ['due'] },
    sortKeys: [{ pointer: ['due'], descending: false }],
    pageSize: limit,
  })
  const noted = result.map(({ _id, collection, id, due }) => ({
    ...{ key: _id, collection: collection as string, id: id as string, due: due as number },
  }))
  return { due: noted.filter(({ due }) => due <= now), next: noted.find(({ due }) => due > now)?.due }
}
