/**
 * Rules within one object that JSON Schema cannot express (engine §2.3). A schema names its rule with
 * `x-rule`. Places are relative to the object.
 */
import { isPagingKey } from '../../mapping/query.ts'
import type { Finding } from '../../model/finding.ts'
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

function scriptRule(value: JsonObject): readonly Finding[] {
  const inline = value.source !== undefined
  if (!inline && value.file === undefined && value.name === undefined) {
    return [{ place: [], message: 'a script needs its code in "source" or a file name in "file"' }]
  }
  if (inline && value.type === undefined && value.file === undefined) {
    return [
      {
        place: [],
        message: 'a script with inline "source" needs its language; add "type": "text/javascript"',
      },
    ]
  }
  return []
}

const queryKeys = ['_queryFilter', '_queryId', '_queryExpression']

function queryRule(value: JsonObject): readonly Finding[] {
  const given = Object.keys(value).filter((key) => queryKeys.includes(`_${key.replace(/^_/, '')}`))
  const [, second] = given
  if (second === undefined) return pagingKeys(value)
  return [
    ...pagingKeys(value),
    {
      place: [second],
      what: 'key',
      message: `a query has one of ${given.join(' and ')}, not both; remove one`,
    },
  ]
}

function pagingKeys(value: JsonObject): readonly Finding[] {
  return Object.keys(value)
    .filter(isPagingKey)
    .map((key) => ({
      severity: 'warning',
      place: [key],
      what: 'key',
      message: `${key} has no effect here: a run reads everything that the query matches, in pages and an order of its own`,
    }))
}

function expressionTreeRule(value: JsonObject): readonly Finding[] {
  const given = ['any', 'all'].filter((key) => value[key] !== undefined)
  return given.length === 1 ? [] : [{ place: [], message: 'an expression tree has either "any" or "all"' }]
}

function propertyRule({ target }: JsonObject): readonly Finding[] {
  if (target !== '' && target !== '/') return []
  const found = JSON.stringify(target)
  return [
    {
      place: ['target'],
      message: `cannot replace root object: ${found} is the whole target; name a property`,
      found,
    },
  ]
}

/** Of two properties, only one. */
function exclusive(first: string, second: string): Rule {
  const message = `${first} and ${second} exclude each other; remove one of them`
  return (value) =>
    value[first] === undefined || value[second] === undefined
      ? []
      : [{ place: [second], what: 'key', message }]
}

function objectTypeRule(value: JsonObject): readonly Finding[] {
  const isAll = value.nativeType === '__ALL__'
  if (isAll && isJsonObject(value.properties) && Object.keys(value.properties).length > 0) {
    return [
      { place: ['properties'], what: 'key', message: 'the type __ALL__ has no properties; remove them' },
    ]
  }
  if (isAll || value.properties !== undefined) return []
  return [
    { place: ['properties'], message: 'the required property properties is missing; add it (an object)' },
  ]
}

function poolRule({ maxObjects = 10, maxIdle = 10, minIdle = 1 }: JsonObject): readonly Finding[] {
  const sizes = [maxObjects, maxIdle, minIdle].map(Number)
  const [objects = 0, idle = 0, least = 0] = sizes
  if (objects >= idle && idle >= least) return []
  return [{ place: [], message: `maxObjects ≥ maxIdle ≥ minIdle must hold, found ${sizes.join(', ')}` }]
}
