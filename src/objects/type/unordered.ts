import { equalInAnyOrder } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import { type Step, spotsAt, withValueAt } from './places.ts'

/**
 * The content with lists in the order in which they are stored, where their order says nothing (`"comparison": "unordered"`,
 * platform §6.1) and they have the same elements: so such a list is no change.
 */
export function inStoredOrder<T extends JsonObject>(
  content: T,
  stored: JsonObject,
  unordered: readonly (readonly Step[])[],
): T {
  let result = content
  for (const path of unordered)
    for (const { pointer, value } of spotsAt(result, path)) {
      const before = getAt(stored, pointer)
      if (Array.isArray(value) && Array.isArray(before) && equalInAnyOrder(value, before))
        result = withValueAt(result, pointer, before)
    }
  return result
}
