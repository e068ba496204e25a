import { everything, type Filter } from '../../model/filter/filter.ts'
import type { FilterLeaf } from '../../model/filter/walk.ts'
import { instantOf } from '../../model/instant.ts'
import type { Json, JsonObject } from '../../model/json.ts'

/**
 * Filters as search scripts see them by `query()` (platform §5.4): nested maps. What they leave out, or answer too generously, is
 * evaluated on what the script gives; `query()` only narrows.
 */
const operations: Readonly<Record<string, string>> = {
  eq: 'EQUALS',
  co: 'CONTAINS',
  sw: 'STARTSWITH',
  ew: 'ENDSWITH',
  gt: 'GREATERTHAN',
  ge: 'GREATERTHANOREQUAL',
  lt: 'LESSTHAN',
  le: 'LESSTHANOREQUAL',
}

const orders: ReadonlySet<string> = new Set(['lt', 'le', 'gt', 'ge'])

/**
 * Can `query()` say this? A negation cannot be told safely: in SQL it leaves out rows without a value. Nor can the order of times, which
 * are ordered by their instants, and not by their texts.
 */
export function canAsk(leaf: FilterLeaf): boolean {
  if (leaf.kind !== 'compare' || leaf.pointer.length !== 1) return false
  const { operator, value } = leaf
  if (operator === 'in') return Array.isArray(value) && value.length > 0
  if (orders.has(operator) && typeof value === 'string' && instantOf(value) !== undefined) return false
  return Object.hasOwn(operations, operator) && typeof value !== 'object'
}

/** The part of a filter that scripts get; the rest is evaluated here, and so is this part once more. */
export function askable(filter: Filter): Filter {
  switch (filter.kind) {
    case 'and':
      return { kind: 'and', filters: filter.filters.map(askable).filter((part) => part !== everything) }
    case 'or':
      return filter.filters.every((part) => isWhole(part)) ? filter : everything
    case 'not':
      return everything
    case 'literal':
      return filter.value ? everything : filter
    default:
      return canAsk(filter) ? filter : everything
  }
}

function isWhole(filter: Filter): boolean {
  if (filter.kind === 'and' || filter.kind === 'or') return filter.filters.every(isWhole)
  return filter.kind === 'compare' && canAsk(filter)
}

/** What `query()` returns; null: everything. */
export function queryOf(filter: Filter): JsonObject | null {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return joined(
        filter.kind === 'and' ? 'AND' : 'OR',
        filter.filters.map(queryOf).filter((part) => part !== null),
      )
    case 'compare': {
      const { operator, value, pointer } = filter
      const left = pointer[0] === '_id' ? '__UID__' : (pointer[0] ?? '')
      if (operator !== 'in' || !Array.isArray(value))
        return comparison(operations[operator] ?? '', left, value)
      return joined(
        'OR',
        value.map((one) => comparison('EQUALS', left, one)),
      )
    }
    default:
      return null
  }
}

function comparison(operation: string, left: string, right: Json): JsonObject {
  return { operation, left, right, not: false }
}

/** Halves of halves: scripts go down in them, and a page of ids is no deep tree. */
function joined(operation: 'AND' | 'OR', parts: readonly JsonObject[]): JsonObject | null {
  const [first = null, ...others] = parts
  if (others.length === 0) return first
  const half = Math.ceil(parts.length / 2)
  return {
    operation,
    left: joined(operation, parts.slice(0, half)),
    right: joined(operation, parts.slice(half)),
  }
}
