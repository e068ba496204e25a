import { compileFilter } from '../../model/filter/evaluate.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Target } from '../../model/reference.ts'
import type { Store } from '../../repository/repository.ts'
import { conditionIn } from './conditions.ts'
import type { RelationshipProperty } from './model.ts'

/** An object that is granted to all for whom its condition holds (platform §6.4). */
export interface Conditional {
  readonly target: Target
  /** Properties that the condition looks at. */
  readonly properties: readonly string[]
  holdsFor(object: JsonObject): boolean
}

/** All of a property; one statement a set. A condition that cannot be read holds for nobody. */
export async function conditionals(
  store: Store,
  { conditions }: RelationshipProperty,
): Promise<readonly Conditional[]> {
  const found: Conditional[] = []
  for (const [collection, field] of conditions) {
    const { result } = await store.objects.query(collection, {
      filter: { kind: 'present', pointer: [field] },
    })
    for (const object of result) {
      const condition = conditionIn(object[field])
      if (!condition) continue
      const holdsFor = compileFilter(condition)
      const properties = pointersOf(condition).flatMap(([name]) => name ?? [])
      found.push({ target: { collection, id: object._id }, properties, holdsFor })
    }
  }
  return found
}
