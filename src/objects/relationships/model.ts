import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { Target } from '../../model/reference.ts'
import { declaresSecret } from '../../model/secrecy.ts'
import type { RelationshipEnd } from '../../repository/relationships.ts'
import {
  collectionOf,
  isRelationship,
  type ManagedType,
  type PropertySchema,
  propertiesOf,
} from '../type/type.ts'

/**
 * The relationships that the types of a project declare (platform §6.1), read once: which properties show them, which
 * values are collected along them, and which objects depend on a change. Pure.
 */
export interface RelationshipModel {
  /** By collection; types that neither have relationships nor collect values are there, too. */
  readonly types: ReadonlyMap<string, RelatedType>
  /** What depends on the objects of a collection, by that collection. */
  readonly dependents: ReadonlyMap<string, readonly Dependent[]>
}

/** A type among those of its project. */
export interface Related {
  readonly model: RelationshipModel
  readonly type: RelatedType
}

export interface RelatedType {
  readonly collection: string
  readonly properties: ReadonlyMap<string, RelationshipProperty>
  readonly collected: readonly CollectedProperty[]
  /** Property → relationships whose other ends are notified of its changes (`notifyRelationships`). */
  readonly notifiedOf: ReadonlyMap<string, readonly string[]>
  /** What `*` does not stand for. */
  readonly hidden: ReadonlySet<string>
  /** An object of it that is granted cannot be deleted (platform §6.4). */
  readonly isRole: boolean
  /** Relationships that an object must have. */
  readonly required: readonly string[]
}

export interface RelationshipProperty {
  readonly collection: string
  readonly name: string
  readonly many: boolean
  /** The property at the other end; empty: none. */
  readonly reverse: string
  /** The object referred to must exist. */
  readonly validate: boolean
  /** Where references may point to; empty: anywhere. */
  readonly collections: readonly string[]
  /** A change of the relationship at the other end is a change of this object. */
  readonly notifySelf: boolean
  /** Objects of these sets are notified of changes made here. */
  readonly notifies: ReadonlySet<string>
  /** Set → the property that says which objects get a grant by themselves (`conditionalAssociationField`). */
  readonly conditions: ReadonlyMap<string, string>
  readonly returnedByDefault: boolean
}

/** A virtual property by `queryConfig`. */
export interface CollectedProperty {
  readonly name: string
  /** Each a chain of relationships to follow. */
  readonly paths: readonly (readonly string[])[]
  /** The fields to collect; undefined: the references themselves. */
  readonly fields: readonly string[] | undefined
  readonly flatten: boolean
  readonly many: boolean
}

/** Objects of `collection` that depend on those to which `chain` leads. */
export interface Dependent {
  readonly collection: string
  /** From the dependent object on: the set, and the relationship that leads from there. */
  readonly chain: readonly { readonly collection: string; readonly property: string }[]
  /** Changes of these properties count; undefined: of any. */
  readonly properties: ReadonlySet<string> | undefined
  /** True: only the objects with a grant by condition, or for which the condition holds now. */
  readonly byCondition: boolean
}

/** Limits the time in which a role or a grant counts; its name is the same everywhere. */
export const constraintsProperty = 'temporalConstraints'

/** Undefined where no type has relationships: nothing is spent on them then. */
export function relationshipModel(types: readonly ManagedType[]): RelationshipModel | undefined {
  const related = new Map(types.map((type) => [collectionOf(type), relatedType(type, types)]))
  const any = [...related.values()].some(
    ({ properties, collected }) => properties.size + collected.length > 0,
  )
  return any ? { types: related, dependents: dependentsIn(related) } : undefined
}

function relatedType(type: ManagedType, types: readonly ManagedType[]): RelatedType {
  const collection = collectionOf(type)
  const properties = propertiesOf(type.schema)
  const relationships = properties.flatMap(([name, schema]) =>
    relationshipIn(collection, name, schema, types),
  )
  const required = new Set(Array.isArray(type.schema?.required) ? type.schema.required : [])
  return {
    collection,
    properties: new Map(relationships.map((one) => [one.name, one])),
    collected: properties.flatMap(([name, schema]) => collectedIn(name, schema)),
    notifiedOf: new Map(
      properties.flatMap(([name, schema]) => {
        const notified = [...texts(schema.notifyRelationships), ...texts(schema.items?.notifyRelationships)]
        return notified.length > 0 ? [[name, notified] as const] : []
      }),
    ),
    hidden: new Set(properties.filter(isHidden).map(([name]) => name)),
    isRole: type.name === 'role' || type.refusesDeletionWhileGranted === true,
    required: relationships.filter(({ name }) => required.has(name)).map(({ name }) => name),
  }
}

function isHidden([, property]: [string, PropertySchema]): boolean {
  return isSecret(property) || property.isVirtual === true || property.returnByDefault === false
}

/** All of it if anything in it is. */
function isSecret(property: PropertySchema): boolean {
  const { items } = property
  const within = [...propertiesOf(property).map(([, inner]) => inner), ...(items ? [items] : [])]
  return declaresSecret(property) || within.some(isSecret)
}

function relationshipIn(
  collection: string,
  name: string,
  property: PropertySchema,
  types: readonly ManagedType[],
): RelationshipProperty[] {
  const many = !isRelationship(property)
  const schema = many ? property.items : property
  if (!schema || !isRelationship(schema)) return []
  const listed = Array.isArray(schema.resourceCollection) ? schema.resourceCollection : []
  const resources = listed
    .filter(isJsonObject)
    .flatMap(({ path, ...more }) => (typeof path === 'string' ? [{ path, ...more }] : []))
  const conditions = resources.flatMap(
    ({ path, conditionalAssociationField }: JsonObject & { path: string }) => {
      const named = conditionalAssociationField ?? schema.conditionalAssociationField
      const field = typeof named === 'string' ? named : conditionOf(path, types)
      return field === undefined ? [] : [[path, field] as const]
    },
  )
  const { reverseRelationship, reversePropertyName } = schema
  return [
    {
      ...{ collection, name, many },
      reverse:
        reverseRelationship === true && typeof reversePropertyName === 'string' ? reversePropertyName : '',
      validate: schema.validate === true,
      collections: resources.map(({ path }) => path),
      notifySelf: schema.notifySelf === true || property.notifySelf === true,
      notifies: new Set(resources.filter(notifies).map(({ path }) => path)),
      conditions: new Map(many ? conditions : []),
      returnedByDefault: property.returnByDefault === true,
    },
  ]
}

/** `true`, or a list of the relationships that are notified. */
function notifies({ notify }: JsonObject): boolean {
  return notify === true || (Array.isArray(notify) && notify.length > 0)
}

/** Roles of the usual schema have a condition without saying so at the relationship. */
function conditionOf(path: string, types: readonly ManagedType[]): string | undefined {
  const role = types.find((type) => collectionOf(type) === path && type.name === 'role')
  return role?.schema?.properties?.condition ? 'condition' : undefined
}

function collectedIn(name: string, property: PropertySchema): CollectedProperty[] {
  const { queryConfig } = property
  if (!isJsonObject(queryConfig)) return []
  const { referencedRelationshipFields, referencedObjectFields, flattenProperties } = queryConfig
  const paths = pathsIn(referencedRelationshipFields)
  if (paths.length === 0) return []
  const fields = texts(referencedObjectFields).map((field) => field.replace(/^\//, ''))
  const isArray =
    property.type === 'array' || (Array.isArray(property.type) && property.type.includes('array'))
  return [
    {
      ...{ name, paths, many: isArray || property.type === undefined },
      fields: fields.length > 0 ? fields : undefined,
      flatten: flattenProperties === true,
    },
  ]
}

/** One chain of relationships, or a list of chains. */
function pathsIn(value: Json | undefined): readonly (readonly string[])[] {
  if (typeof value === 'string') return [[value]]
  const paths = Array.isArray(value) && value.some(Array.isArray) ? value.map(texts) : [texts(value)]
  return paths.filter((path) => path.length > 0)
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function dependentsIn(types: ReadonlyMap<string, RelatedType>): ReadonlyMap<string, readonly Dependent[]> {
  const all = [...types.values()].flatMap(({ collection, collected, properties }) => [
    ...collected.flatMap(({ paths, fields }) =>
      paths.flatMap((path) => dependentsAlong(types, collection, path, fields)),
    ),
    ...[...properties.values()].flatMap(({ name, conditions }) =>
      [...conditions].map(([on, field]) => ({
        ...{ on, collection, chain: [{ collection, property: name }] },
        ...{ properties: new Set([field]), byCondition: true },
      })),
    ),
  ])
  return Map.groupBy(all, ({ on }) => on)
}

/** `on`: the collection whose objects `root` depends on. */
function dependentsAlong(
  types: ReadonlyMap<string, RelatedType>,
  root: string,
  path: readonly string[],
  fields: readonly string[] = [],
): readonly (Dependent & { readonly on: string })[] {
  const follow = (
    chain: Dependent['chain'],
    collection: string,
    [property, ...further]: readonly string[],
  ) => {
    const relationship = property === undefined ? undefined : types.get(collection)?.properties.get(property)
    if (!relationship) return []
    const longer = [...chain, { collection, property: relationship.name }]
    const isLast = further.length === 0
    const counted = isLast ? fields.map(firstToken) : further.slice(0, 1)
    const properties = isLast && fields.includes('*') ? undefined : new Set([constraintsProperty, ...counted])
    return relationship.collections.flatMap((on): readonly (Dependent & { readonly on: string })[] => [
      { on, collection: root, chain: longer, properties, byCondition: false },
      ...(isLast ? [] : follow(longer, on, further)),
    ])
  }
  return follow([], root, path)
}

function firstToken(field: string): string {
  return field.split('/')[0] as string
}

/** True if values are collected along the relationship. */
export function collectsAlong({ collected }: RelatedType, property: string): boolean {
  return collected.some(({ paths }) => paths.some(([first]) => first === property))
}

/** Relationships that have to be known whenever an object of the type is written. */
export function alwaysRead({ properties, collected }: RelatedType): readonly string[] {
  const first = collected.flatMap(({ paths }) => paths.flatMap(([property]) => property ?? []))
  const conditional = [...properties.values()].filter(({ conditions }) => conditions.size > 0)
  return [...new Set([...first, ...conditional.map(({ name }) => name)])].filter((name) =>
    properties.has(name),
  )
}

/** The property that shows a relationship at an end. */
export function propertyAt(
  { types }: RelationshipModel,
  { collection, property }: RelationshipEnd,
): RelationshipProperty | undefined {
  return types.get(collection)?.properties.get(property)
}

/** Where the other set is not ours, or has no such property, the relationship is seen at this end only. */
export function otherEnd(
  { types }: RelationshipModel,
  { reverse }: RelationshipProperty,
  { collection, id }: Target,
): RelationshipEnd {
  return { collection, id, property: types.get(collection)?.properties.has(reverse) ? reverse : '' }
}

/** The relationship through which a pointer leads, and the pointer from its other ends on; `*` stands for any of them. */
export function throughRelationship(
  type: RelatedType | undefined,
  [name = '', ...rest]: Pointer,
): readonly [property: RelationshipProperty | undefined, pointer: Pointer] {
  return [type?.properties.get(name), rest[0] === '*' ? rest.slice(1) : rest]
}
