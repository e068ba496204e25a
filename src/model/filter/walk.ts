import { type Pointer, printPointer } from '../pointer.ts'
import type { Filter } from './filter.ts'

/** The properties that a filter uses, each once, in the order of their appearance. */
export function pointersOf(filter: Filter): readonly Pointer[] {
  const found = new Map<string, Pointer>()
  for (const { pointer } of leavesOf(filter)) found.set(printPointer(pointer), pointer)
  return [...found.values()]
}

type Leaf = Extract<Filter, { pointer: Pointer }>

function leavesOf(filter: Filter): readonly Leaf[] {
  switch (filter.kind) {
    case 'literal':
      return []
    case 'and':
    case 'or':
      return filter.filters.flatMap(leavesOf)
    case 'not':
      return leavesOf(filter.filter)
    case 'present':
    case 'compare':
      return [filter]
  }
}
