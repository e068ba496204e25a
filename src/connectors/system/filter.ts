import type { Filter } from '../../model/filter/filter.ts'
import { type FilterLeaf, mapLeaves, pointersOf } from '../../model/filter/walk.ts'
import type { Json } from '../../model/json.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { SplitFilter } from '../kit/query.ts'
import type { ObjectType } from './object-type.ts'
import { coerced } from './value-type.ts'

/**
 * Query filters on system objects (platform §1.3): pointers have one level, `_id` is the uid, a
 * comparison with an undeclared attribute is an error, `pr` on one is false. Properties that are never returned cannot be
 * searched for either, or a filter could reveal them.
 */

/** The filter as it can be evaluated on resources of this type. */
export function checkedFilter(filter: Filter, type: ObjectType): Filter {
  for (const pointer of pointersOf(filter)) requireOneLevel(pointer)
  return mapLeaves(filter, (leaf) => {
    const name = leaf.pointer[0] ?? ''
    if (name === '_id' || type.properties.get(name)?.readable) return leaf
    if (leaf.kind === 'present') return { kind: 'literal', value: false }
    throw new Problem('BAD_FILTER', `${type.name} has no searchable attribute ${printPointer(leaf.pointer)}`)
  })
}

/** The same comparison in the name and type of the connector. */
function nativeLeaf(leaf: FilterLeaf, type: ObjectType): FilterLeaf {
  const property = type.properties.get(leaf.pointer[0] ?? '')
  // A copy, so that no two leaves are the same object.
  if (!property) return { ...leaf }
  const pointer = [property.attribute]
  if (leaf.kind === 'present') return { ...leaf, pointer }
  const cast = (value: Json): Json => (value === null ? null : (coerced(value, property.nativeType) ?? value))
  return { ...leaf, pointer, value: Array.isArray(leaf.value) ? leaf.value.map(cast) : cast(leaf.value) }
}

/**
 * The native part of a filter in the names of the connector, and the rest in those of the configuration: of the leaves
 * that the connector hands back, the ones they were made of.
 */
export function splitNatively(
  filter: Filter,
  type: ObjectType,
  split: (native: Filter) => SplitFilter,
): SplitFilter {
  const origins = new Map<FilterLeaf, FilterLeaf>()
  const native = mapLeaves(filter, (leaf) => {
    const changed = nativeLeaf(leaf, type)
    origins.set(changed, leaf)
    return changed
  })
  const parts = split(native)
  return {
    native: parts.native,
    rest: mapLeaves(parts.rest, (leaf) => origins.get(leaf) ?? renamed(leaf, type)),
  }
}

/** A leaf that the connector has created. */
function renamed(leaf: FilterLeaf, { properties }: ObjectType): FilterLeaf {
  const [attribute = ''] = leaf.pointer
  const property = [...properties.values()].find((one) => one.attribute === attribute)
  return property ? { ...leaf, pointer: [property.name] } : leaf
}

/** The ids that a filter names, if it only does that: then a read replaces the search. */
export function idsNamed(filter: Filter): readonly string[] | undefined {
  if (filter.kind === 'or') {
    const parts = filter.filters.map(idsNamed)
    return parts.every((part) => part !== undefined) ? [...new Set(parts.flat())] : undefined
  }
  if (filter.kind !== 'compare' || filter.pointer[0] !== '_id') return undefined
  const { operator, value } = filter
  if (operator === 'eq') return typeof value === 'string' ? [value] : []
  if (operator !== 'in' || !Array.isArray(value)) return undefined
  return [...new Set(value.filter((id) => typeof id === 'string'))]
}

/** The names of the properties in a filter. */
export function propertiesIn(filter: Filter): readonly string[] {
  return pointersOf(filter).map(([name = '']) => name)
}

export function requireOneLevel(pointer: Pointer): void {
  if (pointer.length === 1) return
  throw new Problem('BAD_FILTER', `Only one level JsonPointer supported: ${printPointer(pointer)}`)
}
