import type { Filter } from '../model/filter/filter.ts'
import { parsePointer } from '../model/pointer.ts'
import type { Call } from './call.ts'
import { holds } from './condition.ts'
import type { ExpressionTree, PropertyMapping } from './mapping.ts'
import { mappedValue, type PropertyScope } from './properties.ts'

/**
 * Builds the filter of an `expressionTree` natively (engine §6.3, [D]). Each name is a target property, with the value
 * that the mapping would compute. A name without a value makes an `all` fail and is dropped from an `any`. Undefined
 * means that nothing can match.
 */
export function treeFilter(
  tree: ExpressionTree,
  properties: readonly PropertyMapping[],
  scope: PropertyScope,
  call: Call,
): Filter | undefined {
  const operands = tree.operands.map((operand) =>
    typeof operand === 'string'
      ? nameFilter(operand, properties, scope, call)
      : treeFilter(operand, properties, scope, call),
  )
  const known = operands.filter((operand) => operand !== undefined)
  if (known.length === 0 || (tree.operator === 'all' && known.length < operands.length)) return undefined
  if (known.length === 1) return known[0]
  return { kind: tree.operator === 'all' ? 'and' : 'or', filters: known }
}

function nameFilter(
  name: string,
  properties: readonly PropertyMapping[],
  scope: PropertyScope,
  call: Call,
): Filter | undefined {
  const pointer = parsePointer(name)
  const property = properties.find(({ target }) => samePointer(target, pointer))
  if (!property) return undefined
  const { source: object, linkQualifier } = scope
  if (!holds(property.condition, { object, target: {}, linkQualifier }, call)) return undefined
  const value = mappedValue(property, scope, call)
  if (value === null || value === '' || typeof value === 'object') return undefined
  return { kind: 'compare', operator: 'eq', pointer, value }
}

function samePointer(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((token, index) => token === b[index])
}
