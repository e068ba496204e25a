/**
 * Rules within one object that JSON Schema cannot express (engine §2.3). A schema names its rule with
 * `x-rule`. Places are relative to the object.
 */
import { isPagingKey } from '../../mapping/query.ts'
import type { Finding, Place } from '../../model/finding.ts'
import { isJsonObject, type JsonObject } from '../../model/json.ts'

type Rule = (value: JsonObject) => readonly Finding[]

export const rules: Readonly<Record<string, Rule>> = {
  script: scriptRule,
  correlationQuery: (value) => (value.expressionTree === undefined ? scriptRule(value) : []),
  query: queryRule,
  expressionTree: expressionTreeRule,
  property: propertyRule,
  mapping: exclusive('correlationQuery', 'correlationScript'),
  managedProperty: exclusive('encryption', 'secureHash'),
  objectType: objectTypeRule,
  pool: poolRule,
}

function fault(place: Place, message: string): readonly Finding[] {
  return [{ place, message }]
}

function scriptRule({ source, file, name, type }: JsonObject): readonly Finding[] {
  const inline = source !== undefined
  if (!inline && file === undefined && name === undefined)
    return fault([], 'a script needs its code in "source" or a file name in "file"')
  if (inline && type === undefined && file === undefined)
    return fault([], 'a script with inline "source" needs its language; add "type": "text/javascript"')
  return []
}

const queryKeys = ['_queryFilter', '_queryId', '_queryExpression']

function queryRule(value: JsonObject): readonly Finding[] {
  const without =
    'has no effect here: a run reads everything that the query matches, in pages and an order of its own'
  const unused = Object.keys(value)
    .filter(isPagingKey)
    .map((key) => ({ severity: 'warning', place: [key], what: 'key', message: `${key} ${without}` }) as const)
  const given = Object.keys(value).filter((key) => queryKeys.includes(`_${key.replace(/^_/, '')}`))
  const [, second] = given
  if (second === undefined) return unused
  const message = `a query has one of ${given.join(' and ')}, not both; remove one`
  return [...unused, { place: [second], what: 'key', message }]
}

function expressionTreeRule(value: JsonObject): readonly Finding[] {
  const given = ['any', 'all'].filter((key) => value[key] !== undefined)
  return given.length === 1 ? [] : fault([], 'an expression tree has either "any" or "all"')
}

function propertyRule({ target }: JsonObject): readonly Finding[] {
  if (target !== '' && target !== '/') return []
  const found = JSON.stringify(target)
  const message = `cannot replace root object: ${found} is the whole target; name a property`
  return [{ place: ['target'], message, found }]
}

/** Of two properties, only one. */
function exclusive(first: string, second: string): Rule {
  const message = `${first} and ${second} exclude each other; remove one of them`
  return (value) =>
    value[first] === undefined || value[second] === undefined
      ? []
      : [{ place: [second], what: 'key', message }]
}

function objectTypeRule({ nativeType, properties }: JsonObject): readonly Finding[] {
  if (nativeType !== '__ALL__')
    return properties === undefined
      ? fault(['properties'], 'the required property properties is missing; add it (an object)')
      : []
  if (!isJsonObject(properties) || Object.keys(properties).length === 0) return []
  const message = 'the type __ALL__ has no properties; remove them'
  return [{ place: ['properties'], what: 'key', message }]
}

function poolRule({ maxObjects = 10, maxIdle = 10, minIdle = 1 }: JsonObject): readonly Finding[] {
  const sizes = [maxObjects, maxIdle, minIdle].map(Number)
  const [objects = 0, idle = 0, least = 0] = sizes
  if (objects >= idle && idle >= least) return []
  return fault([], `maxObjects ≥ maxIdle ≥ minIdle must hold, found ${sizes.join(', ')}`)
}
