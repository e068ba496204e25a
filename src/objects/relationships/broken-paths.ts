import type { Finding } from '../../model/finding.ts'
import { isJsonObject } from '../../model/json.ts'
import { nearest } from '../../model/nearest.ts'
import { collectionOf, type ManagedType, propertiesOf } from '../type/type.ts'
import { type RelatedType, relationshipModel } from './model.ts'

export interface BrokenPath {
  /** The name of the type. */
  readonly type: string
  readonly finding: Finding
}

/**
 * `queryConfig` without a relationship to follow, or with one that no type at its place has. It would collect nothing, and
 * what was collected before would be taken away. What leads to sets of other systems is not known, and not judged.
 */
export function brokenPaths(types: readonly ManagedType[]): readonly BrokenPath[] {
  const related = relationshipModel(types)?.types ?? new Map<string, RelatedType>()
  return types.flatMap((type) =>
    propertiesOf(type.schema).flatMap(([name, { queryConfig }]): BrokenPath[] => {
      if (!isJsonObject(queryConfig) || Object.keys(queryConfig).length === 0) return []
      const collected = related.get(collectionOf(type))?.collected.find((one) => one.name === name)
      const message = collected
        ? collected.paths.map((path) => missingIn(path, [collectionOf(type)], related)).find(Boolean)
        : 'queryConfig needs referencedRelationshipFields: the relationships to follow'
      if (message === undefined) return []
      const place = ['schema', 'properties', name, 'queryConfig', 'referencedRelationshipFields']
      return [{ type: type.name, finding: { place, message } }]
    }),
  )
}

function missingIn(
  [next, ...further]: readonly string[],
  collections: readonly string[],
  types: ReadonlyMap<string, RelatedType>,
): string | undefined {
  const known = collections.flatMap((collection) => types.get(collection) ?? [])
  if (next === undefined || known.length < collections.length || known.length === 0) return undefined
  const found = known.flatMap(({ properties }) => properties.get(next) ?? [])
  if (found.length > 0)
    return missingIn(further, [...new Set(found.flatMap((one) => one.collections))], types)
  const names = known.flatMap(({ properties }) => [...properties.keys()])
  const meant = nearest(next, names)
  const sets = collections.join(', ')
  return `${next} is no relationship of ${sets}${meant === undefined ? '' : `; did you mean ${meant}?`}`
}
