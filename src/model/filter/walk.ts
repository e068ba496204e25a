import { type Pointer, printPointer } from '../pointer.ts'
import type { Filter } from './filter.ts'

/** A comparison of one property, or the question whether it is present. */
export type FilterLeaf = Extract<Filter, { readonly pointer: Pointer }>

/** The properties that a filter uses, each once, in the order of their appearance. */
export function pointersOf(filter: Filter): readonly Pointer[] {
  const found = new Map<string, Pointer>()
  for (const { pointer } of leavesOf(filter)) found.set(printPointer(pointer), pointer)
  return [...found.values()]
}

export function leavesOf(filter: Filter): readonly FilterLeaf[] {
  const found: FilterLeaf[] = []
  mapLeaves(filter, (leaf) => {
    found.push(leaf)
    return leaf
  })
  return found
}

/** The filter with other leaves. */
export function mapLeaves(filter: Filter, change: (leaf: FilterLeaf) => Filter): Filter {
  switch (filter.kind) {
    case 'literal':
      return filter
    case 'and':
    case 'or':
      return { kind: filter.kind, filters: filter.filters.map((part) => mapLeaves(part, change)) }
    case 'not':
      return { kind: 'not', filter: mapLeaves(filter.filter, change) }
    case 'present':
    case 'compare':
      return change(filter)
  }
}
