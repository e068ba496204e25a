/** What a person would doubt in a managed type: names in `required`, `order`, conditions and relationships that nothing has. */
import type { Place } from '../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { endlessPart } from '../model/pattern.ts'
import type { Entry } from './entry.ts'
import { type Doubt, doubt, filterDoubts, noSuch, noSuchSet, pointersDoubts } from './names.ts'
import { patternMessage } from './script/patterns.ts'
import type { Shape, Shapes } from './shape.ts'

/** The managed types of a project, with the shapes of all sets. */
interface Types {
  readonly all: readonly Entry[]
  readonly shapes: Shapes
}

export function managedDoubts({ name, content }: Entry, types: Types): readonly Doubt[] {
  const schema = asObject(content.schema)
  const of = `managed/${name}`
  return [
    ...namesDoubts(schema, ['schema'], of),
    ...Object.entries(asObject(schema.properties)).flatMap(([property, declared]) =>
      propertyDoubts(asObject(declared), ['schema', 'properties', property], {
        of: `${of}/${property}`,
        shape: types.shapes.of(of),
        type: of,
        property,
        types,
      }),
    ),
  ]
}

/** `required` and `order` of an object. */
function namesDoubts(
  { properties, required, order }: JsonObject,
  place: Place,
  of: string,
): readonly Doubt[] {
  const known = Object.keys(asObject(properties))
  if (known.length === 0) return []
  return Object.entries({ required, order }).flatMap(([list, names]) =>
    (Array.isArray(names) ? names : []).flatMap((one, index) => {
      if (typeof one !== 'string' || known.includes(one) || one.startsWith('_')) return []
      return [
        doubt([...place, list, index], noSuch(one, known, `${of} has no property ${JSON.stringify(one)}`)),
      ]
    }),
  )
}

interface Where {
  /** Of the property, in messages. */
  readonly of: string
  /** Of the whole object. */
  readonly shape: Shape
  readonly type: string
  /** The property of the object itself in which this one is. */
  readonly property: string
  readonly types: Types
}

function propertyDoubts(declared: JsonObject, place: Place, where: Where): readonly Doubt[] {
  const { pattern, policies, conditionalPolicies, notifyRelationships } = declared
  const below = (inner: Json | undefined, more: Place, of = where.of) =>
    isJsonObject(inner) ? propertyDoubts(inner, [...place, ...more], { ...where, of }) : []
  return [
    ...namesDoubts(declared, place, where.of),
    ...patternDoubts(pattern, [...place, 'pattern']),
    ...list(policies).flatMap(([index, { params }]) =>
      patternDoubts(asObject(params).regexp, [...place, 'policies', index, 'params', 'regexp']),
    ),
    ...list(conditionalPolicies).flatMap(([index, { condition, dependencies }]) => [
      ...filterDoubts(where.shape, condition, [...place, 'conditionalPolicies', index, 'condition']),
      ...pointersDoubts(where.shape, dependencies, [...place, 'conditionalPolicies', index, 'dependencies']),
    ]),
    ...pointersDoubts(where.shape, notifyRelationships, [...place, 'notifyRelationships']),
    ...collectionDoubts(declared, place, where),
    ...collectedDoubts(declared, place, where),
    ...below(declared.items, ['items']),
    ...Object.entries(asObject(declared.properties)).flatMap(([name, inner]) =>
      below(inner, ['properties', name], `${where.of}/${name}`),
    ),
  ]
}

function list(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  return Array.isArray(value)
    ? [...value.entries()].map(([index, one]) => [index, asObject(one)] as const)
    : []
}

function patternDoubts(pattern: Json | undefined, place: Place): readonly Doubt[] {
  const part = typeof pattern === 'string' ? endlessPart(pattern) : undefined
  return part === undefined ? [] : [doubt(place, { message: patternMessage(part), found: part })]
}

/** Where a relationship leads, and the property at the other end that leads back. */
function collectionDoubts(declared: JsonObject, place: Place, where: Where): readonly Doubt[] {
  const { shapes } = where.types
  return list(declared.resourceCollection).flatMap(([index, { path, query, notify }]) => {
    if (typeof path !== 'string') return []
    const at = [...place, 'resourceCollection', index]
    if (!shapes.exists(path)) return [doubt([...at, 'path'], noSuchSet(path, shapes))]
    const shape = shapes.of(path)
    const asked = asObject(query)
    return [
      ...filterDoubts(shape, asked.queryFilter, [...at, 'query', 'queryFilter']),
      ...pointersDoubts(shape, asked.fields, [...at, 'query', 'fields']),
      ...pointersDoubts(shape, asked.sortKeys, [...at, 'query', 'sortKeys']),
      ...(Array.isArray(notify) ? pointersDoubts(shape, notify, [...at, 'notify']) : []),
      ...reverseDoubts(declared, path, place, where),
    ]
  })
}

function reverseDoubts(
  { reverseRelationship, reversePropertyName }: JsonObject,
  path: string,
  place: Place,
  { types, type, property }: Where,
): readonly Doubt[] {
  const other = types.all.find(({ name }) => `managed/${name}` === path)
  if (reverseRelationship !== true || typeof reversePropertyName !== 'string' || !other) return []
  const properties = asObject(asObject(other.content.schema).properties)
  const at = [...place, 'reversePropertyName']
  const related = Object.keys(properties).filter((name) => relationshipOf(properties[name]))
  const back = relationshipOf(properties[reversePropertyName])
  if (!back) {
    const what = properties[reversePropertyName] === undefined ? 'no property' : 'no relationship'
    const fact = `${path} has ${what} ${JSON.stringify(reversePropertyName)}`
    return [doubt(at, noSuch(reversePropertyName, related, fact))]
  }
  const { reversePropertyName: leads } = back
  const here = asObject(
    asObject(types.all.find(({ name }) => `managed/${name}` === type)?.content.schema).properties,
  )
  // Of a name that is not there, the other end has a finding of its own.
  if (leads === property || typeof leads !== 'string' || !relationshipOf(here[leads])) return []
  const message = `${path}/${reversePropertyName} leads back to ${JSON.stringify(leads)}, and not to ${property} of ${type}; the two have to name each other`
  return [doubt(at, { message, found: reversePropertyName })]
}

function relationshipOf(declared: Json | undefined): JsonObject | undefined {
  const property = asObject(declared)
  const schema = property.type === 'array' ? asObject(property.items) : property
  return [schema.type].flat().includes('relationship') ? schema : undefined
}

/** The fields that a virtual property collects at the end of its relationships. */
function collectedDoubts({ queryConfig }: JsonObject, place: Place, where: Where): readonly Doubt[] {
  const { referencedObjectFields, referencedRelationshipFields } = asObject(queryConfig)
  const { types, type } = where
  const paths = Array.isArray(referencedRelationshipFields) ? referencedRelationshipFields : []
  const [first] = paths
  const path = (Array.isArray(first) ? first : paths).map(String)
  const set = path.reduce<string | undefined>((from, name) => from && leadsTo(from, name, types.all), type)
  if (set === undefined || set === type) return []
  const at = [...place, 'queryConfig', 'referencedObjectFields']
  return pointersDoubts(types.shapes.of(set), referencedObjectFields, at)
}

/** The one set that a relationship of a set leads to. */
function leadsTo(set: string, name: string, types: readonly Entry[]): string | undefined {
  const content = types.find((one) => `managed/${one.name}` === set)?.content
  const declared = relationshipOf(asObject(asObject(content?.schema).properties)[name])
  const paths = list(declared?.resourceCollection).map(([, { path }]) => path)
  return paths.length === 1 && typeof paths[0] === 'string' ? paths[0] : undefined
}

/** What the scripts of a type see of its objects. */
export function typeVariables(name: string, shapes: Shapes): Readonly<Record<string, Shape>> {
  const object = shapes.of(`managed/${name}`)
  return { object, oldObject: object, newObject: object, fullObject: object }
}
