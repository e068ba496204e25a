import type { Place } from '../model/finding.ts'
import { isJsonObject, type Json } from '../model/json.ts'
import { nearest } from '../model/nearest.ts'
import type { Correlation, CorrelationQuery, ExpressionTree } from './mapping.ts'
import type { Reading } from './reading.ts'

export function correlationIn(reading: Reading): Correlation {
  const { correlationQuery, correlationScript } = reading.configuration
  if (correlationQuery && correlationScript)
    reading.error(
      ['correlationScript'],
      'a mapping has either correlationQuery or correlationScript, not both',
    )
  if (correlationScript) return scriptCorrelation(reading, correlationScript)
  if (!correlationQuery) return { kind: 'none' }
  const entries = Array.isArray(correlationQuery) ? correlationQuery : [correlationQuery]
  const byQualifier: Record<string, CorrelationQuery> = {}
  entries.forEach((entry, index) => {
    const place = Array.isArray(correlationQuery) ? ['correlationQuery', index] : ['correlationQuery']
    addQuery(reading, entry, place, byQualifier)
  })
  return { kind: 'queries', byQualifier }
}

function scriptCorrelation(reading: Reading, value: Json): Correlation {
  const query = queryIn(reading, value, ['correlationScript'])
  // OpenIDM's own console writes expression trees under either key.
  if (query?.kind !== 'tree') return query ?? { kind: 'none' }
  const names = reading.configuration.linkQualifiers
  const qualifiers = Array.isArray(names) ? names.map(String) : ['default']
  return { kind: 'queries', byQualifier: Object.fromEntries(qualifiers.map((name) => [name, query])) }
}

function addQuery(
  reading: Reading,
  entry: Json,
  place: Place,
  byQualifier: Record<string, CorrelationQuery>,
): undefined {
  if (!isJsonObject(entry)) return reading.error(place, 'a correlation query must be a script object')
  const qualifier = entry.linkQualifier ?? 'default'
  if (typeof qualifier !== 'string')
    return reading.error([...place, 'linkQualifier'], 'linkQualifier must be a string')
  if (Object.hasOwn(byQualifier, qualifier))
    return reading.error(place, `link qualifier ${qualifier} has a correlation query already`)
  const query = queryIn(reading, entry, place)
  if (query) byQualifier[qualifier] = query
}

function queryIn(reading: Reading, value: Json, place: Place): CorrelationQuery | undefined {
  if (isJsonObject(value) && value.expressionTree !== undefined)
    return { kind: 'tree', tree: treeIn(reading, value.expressionTree, [...place, 'expressionTree']) }
  const script = reading.script(place, value)
  return script === undefined ? undefined : { kind: 'script', script }
}

function treeIn(reading: Reading, value: Json | undefined, place: Place): ExpressionTree {
  const none: ExpressionTree = { operator: 'any', operands: [] }
  const entries = isJsonObject(value) ? Object.entries(value) : []
  const [operator, operands] = entries[0] ?? []
  if (entries.length !== 1 || (operator !== 'any' && operator !== 'all') || !Array.isArray(operands)) {
    return reading.error(place, 'an expression tree is {"any": […]} or {"all": […]}') ?? none
  }
  return {
    operator,
    operands: operands.map((operand, index) => {
      const inner = [...place, operator, index]
      return typeof operand === 'string' ? treeName(reading, operand, inner) : treeIn(reading, operand, inner)
    }),
  }
}

function treeName(reading: Reading, name: string, place: Place): string {
  const properties = Array.isArray(reading.configuration.properties) ? reading.configuration.properties : []
  const plain = (text: string) => text.replace(/^\/|\/$/g, '')
  const targets = properties.flatMap((entry) =>
    isJsonObject(entry) && typeof entry.target === 'string' ? [plain(entry.target)] : [],
  )
  if (!targets.includes(plain(name))) {
    const meant = nearest(plain(name), targets)
    const remedy = meant === undefined ? '' : `; did you mean ${meant}?`
    reading.error(
      place,
      `the expression tree names ${name}, which no entry of properties has as target${remedy}`,
    )
  }
  return name
}
