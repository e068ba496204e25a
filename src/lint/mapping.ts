/** What a person would doubt in one mapping: attributes that neither side has, and settings that never count. */
import type { Place } from '../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { parsePointer } from '../model/pointer.ts'
import {
  conditionDoubts,
  type Doubt,
  doubt,
  filterDoubts,
  noSuch,
  pointerDoubts,
  pointersDoubts,
} from './names.ts'
import type { Purpose } from './script/judge.ts'
import { type Shape, type Shapes, shapeAt, unknown } from './shape.ts'

/** The two sides of a mapping. */
export interface Sides {
  readonly source: Shape
  readonly target: Shape
}

export function sidesOf({ source, target }: JsonObject, shapes: Shapes): Sides {
  const shape = (path: Json | undefined) => (typeof path === 'string' ? shapes.of(path) : unknown)
  return { source: shape(source), target: shape(target) }
}

export function mappingDoubts(content: JsonObject, shapes: Shapes): readonly Doubt[] {
  const sides = sidesOf(content, shapes)
  const { source, target } = sides
  return [
    ...conditionDoubts({ source, linkQualifier: unknown }, content.sourceCondition, ['sourceCondition']),
    ...entries(content.properties).flatMap(([index, property]) =>
      propertyDoubts(property, ['properties', index], sides),
    ),
    ...overwritten(content.properties),
    ...entries(content.policies).flatMap(([index, { condition }]) =>
      conditionDoubts({ object: source, linkQualifier: unknown }, condition, [
        'policies',
        index,
        'condition',
      ]),
    ),
    ...neverReached(content.policies),
    ...qualifierDoubts(content),
    ...queryDoubts(content.sourceQuery, source, ['sourceQuery'], shapes),
    ...queryDoubts(content.targetQuery, target, ['targetQuery'], shapes),
    ...pointersDoubts(source, content.triggerSyncProperties, ['triggerSyncProperties']),
    ...pointersDoubts(source, content.defaultSourceFields, ['defaultSourceFields']),
    ...pointersDoubts(target, content.defaultTargetFields, ['defaultTargetFields']),
    ...keysDoubts(target, content.disable, ['disable']),
    ...keysDoubts(target, asObject(content.guard).attributes, ['guard', 'attributes']),
    ...keysDoubts(target, asObject(content.guard).disabling, ['guard', 'disabling']),
    ...withoutEffect(content),
  ]
}

function entries(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  return Array.isArray(value)
    ? [...value.entries()].map(([index, one]) => [index, asObject(one)] as const)
    : []
}

function propertyDoubts(property: JsonObject, place: Place, { source, target }: Sides): readonly Doubt[] {
  const variables = { object: source, target, oldTarget: target, oldSource: source, linkQualifier: unknown }
  return [
    ...pointerDoubts(source, property.source, [...place, 'source']),
    ...pointerDoubts(target, property.target, [...place, 'target'], 'writes'),
    ...conditionDoubts(variables, property.condition, [...place, 'condition']),
  ]
}

/** Two entries for one attribute: without a condition, the later one always wins. */
function overwritten(properties: Json | undefined): readonly Doubt[] {
  const all = entries(properties)
  return all.flatMap(([index, { target }]) => {
    if (typeof target !== 'string') return []
    const plain = (text: Json | undefined) => String(text).replace(/^\/|\/$/g, '')
    const later = all.find(
      ([at, other]) =>
        at > index && plain(other.target) === plain(target) && (other.condition ?? null) === null,
    )
    if (!later) return []
    const message = `this entry has no effect: /properties/${later[0]} writes ${target}, too, and comes later; remove one, or give the later one a condition`
    return [doubt(['properties', index, 'target'], { message, found: target })]
  })
}

function neverReached(policies: Json | undefined): readonly Doubt[] {
  const decided = new Map<string, number>()
  return entries(policies).flatMap(([index, { situation, condition }]) => {
    const name = String(situation).toUpperCase()
    const earlier = decided.get(name)
    if (earlier === undefined && (condition ?? null) === null) decided.set(name, index)
    if (earlier === undefined) return []
    const message = `this policy is never reached: /policies/${earlier} is for ${name}, too, and has no condition; give that one a condition, or remove one`
    return [doubt(['policies', index], { message, found: name })]
  })
}

function qualifierDoubts({ linkQualifiers, correlationQuery }: JsonObject): readonly Doubt[] {
  const names = linkQualifiers === undefined || linkQualifiers === null ? ['default'] : linkQualifiers
  if (!Array.isArray(names)) return []
  const queries = Array.isArray(correlationQuery)
    ? entries(correlationQuery).map(([index, one]) => [['correlationQuery', index], one] as const)
    : [[['correlationQuery'], asObject(correlationQuery)] as const]
  return queries.flatMap(([place, { linkQualifier = 'default' }]) => {
    if (!isJsonObject(correlationQuery) && !Array.isArray(correlationQuery)) return []
    if (typeof linkQualifier !== 'string' || names.includes(linkQualifier)) return []
    const fact = `${JSON.stringify(linkQualifier)} is no link qualifier of this mapping, so this query is never asked`
    const at = [...place, 'linkQualifier']
    return [doubt(at, noSuch(linkQualifier, names.map(String), fact))]
  })
}

function queryDoubts(value: Json | undefined, side: Shape, place: Place, shapes: Shapes): readonly Doubt[] {
  if (!isJsonObject(value)) return []
  const { resourceName } = value
  const shape = typeof resourceName === 'string' ? shapes.of(resourceName) : side
  return Object.entries(value).flatMap(([key, one]) => {
    if (/^_?queryFilter$/.test(key)) return filterDoubts(shape, one, [...place, key])
    if (/^_?fields$/.test(key)) return pointersDoubts(shape, one, [...place, key])
    return key === 'field' ? pointerDoubts(shape, one, [...place, key]) : []
  })
}

/** Of an object whose keys are attributes. */
function keysDoubts(shape: Shape, value: Json | undefined, place: Place): readonly Doubt[] {
  return Object.keys(asObject(value)).flatMap((name) =>
    pointerDoubts(shape, name, [...place, name], 'writes').map((one) => ({ ...one, what: 'key' as const })),
  )
}

function withoutEffect(content: JsonObject): readonly Doubt[] {
  const { enableSync, triggerSyncProperties, queuedSync, runTargetPhase, policies } = content
  const found: Doubt[] = []
  const note = (place: Place, message: string) => found.push(doubt(place, { what: 'key', message }))
  const off = 'this setting has no effect: enableSync is false, so changes are not synchronized'
  if (enableSync === false && Array.isArray(triggerSyncProperties) && triggerSyncProperties.length > 0)
    note(['triggerSyncProperties'], off)
  if (enableSync === false && asObject(queuedSync).enabled === true) note(['queuedSync'], off)
  if (runTargetPhase === false)
    for (const [index, { situation }] of entries(policies))
      if (String(situation).toUpperCase() === 'UNASSIGNED')
        note(
          ['policies', index],
          'this policy has no effect: runTargetPhase is false, so targets without a source are not looked at',
        )
  return found
}

/** What the scripts of a mapping are for, by their names in its program. */
export function purposeOf(script: string, content: JsonObject, { source, target }: Sides): Purpose {
  const linkQualifier = unknown
  const [first = '', index, last] = script.split('/')
  const ofObject = { object: source, linkQualifier }
  const hook = { source, target, oldTarget: target, existingTarget: target, oldSource: source }
  switch (last ?? first) {
    case 'validSource':
    case 'sourceCondition':
      return { variables: { source, linkQualifier }, complete: true, wants: 'truth' }
    case 'validTarget':
      return { variables: { target, linkQualifier }, complete: true, wants: 'truth' }
    case 'linkQualifiers':
      return {
        variables: { mapping: unknown, object: source, oldValue: source, returnAll: unknown },
        complete: true,
        wants: 'value',
      }
    case 'transform':
      return {
        variables: { source: transformed(content, Number(index), source), linkQualifier },
        complete: true,
        wants: 'value',
      }
    case 'condition': {
      const variables = { ...ofObject, target, oldTarget: target, oldSource: source }
      return first === 'policies'
        ? { variables: ofObject, wants: 'truth' }
        : { variables, complete: true, wants: 'truth' }
    }
    case 'action':
      return { variables: { source, target }, wants: 'value' }
    case 'result':
    case 'onRecon':
      return { variables: {} }
    case 'correlationScript':
      return { variables: { source, linkQualifier }, complete: true, wants: 'value' }
    default:
      return first === 'correlationQuery'
        ? { variables: { source, linkQualifier }, complete: true, wants: 'value', asks: target }
        : { variables: hook }
  }
}

function transformed({ properties }: JsonObject, index: number, source: Shape): Shape {
  const { source: pointer } = Array.isArray(properties) ? asObject(properties[index]) : {}
  if (typeof pointer !== 'string') return unknown
  try {
    return shapeAt(source, parsePointer(pointer))
  } catch {
    return unknown
  }
}
