import { compileFilter } from '../../model/filter/evaluate.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { Target } from '../../model/reference.ts'
import type { Store } from '../../repository/repository.ts'
import type { RelationshipProperty } from './model.ts'

/** An object that is granted to all for whom its condition holds (platform §6.4). */
export interface Conditional {
  readonly target: Target
  /** Properties that the condition looks at. */
  readonly properties: readonly string[]
  holdsFor(object: JsonObject): boolean
}

/** All of a property; one statement a set. A condition that cannot be read holds for no object. */
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

/** Undefined where there is none, or none that can be read. */
export function conditionIn(value: Json | undefined) {
  if (typeof value !== 'string' || value.trim() === '') return undefined
  try {
    return parseFilter(value)
  } catch {
    return undefined
  }
}

/** BAD_FILTER for a condition that is none: what it belongs to would never be granted. */
export function requireCondition(value: Json | undefined, where: string): void {
  if (value === undefined || value === null || value === '') return
  if (typeof value !== 'string')
    throw new Problem('BAD_FILTER', `${where} is a query filter, not ${JSON.stringify(value)}`)
  try {
    parseFilter(value)
  } catch (cause) {
    throw new Problem('BAD_FILTER', `${where}: ${asProblem(cause).message}`, { cause })
  }
}
