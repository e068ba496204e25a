import { asObject, type Json, type JsonObject } from '../../model/json.ts'
import { messageOf } from '../../model/problem.ts'
import { type Connector, offers } from '../kit/connector.ts'
import type { AttributeType, NativeAttribute, ObjectClass } from '../kit/schema.ts'
import type { Calls } from './calls.ts'
import { type OperationName, timeoutOf } from './operation.ts'

/** Something of a system that could not be described; the rest could. */
export interface DiscoveryFinding {
  /** The object class, and the attribute. */
  readonly nativeType?: string
  readonly nativeName?: string
  readonly message: string
}

/** What a system has, as a configuration declares it. */
export interface Discovered {
  readonly objectTypes: JsonObject
  readonly findings: readonly DiscoveryFinding[]
  /** Values that settings could have: base contexts, tables, columns. */
  readonly suggestions: Readonly<Record<string, readonly Json[]>>
  /** Settings that nobody has given and that suit the system better than their defaults. */
  readonly recommended: JsonObject
}

export interface Discoverable {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly calls: Calls
}

/**
 * Describes what a system has. A part that cannot be described is a finding, and the others go on. Rejects only if the schema cannot be
 * read at all.
 */
export async function discoverSystem(given: Discoverable): Promise<Discovered> {
  const { connector } = given
  const findings: DiscoveryFinding[] = []
  const suggestions = offers(connector, 'discover')
    ? await called(given, 'TEST', (signal) => connector.discover(signal)).catch((error: unknown) => {
        findings.push({ message: `Values for settings cannot be listed: ${messageOf(error)}` })
        return {}
      })
    : {}
  const recommended = await recommendedFor(given, findings)
  if (!offers(connector, 'schema')) return { objectTypes: {}, findings, suggestions, recommended }
  const classes = await called(given, 'SCHEMA', (signal) => connector.schema(signal))
  const objectTypes: JsonObject = {}
  // `__ACCOUNT__` is to be `account`, even if there is a class of that name.
  const ordered = Object.entries(classes).toSorted(([a], [b]) => Number(isAgreed(b)) - Number(isAgreed(a)))
  for (const [objectClass, described] of ordered) {
    const name = freeName(typeName(objectClass), objectTypes)
    objectTypes[name] = declaredType(objectClass, described, connector, findings)
  }
  return { objectTypes, findings, suggestions, recommended }
}

async function recommendedFor(given: Discoverable, findings: DiscoveryFinding[]): Promise<JsonObject> {
  const { connector, configuration } = given
  const recommend = connector.recommend?.bind(connector)
  if (!recommend) return {}
  try {
    const settings = await called(given, 'TEST', recommend)
    const own = asObject(configuration.configurationProperties)
    return Object.fromEntries(Object.entries(settings).filter(([name]) => (own[name] ?? '') === ''))
  } catch (error) {
    findings.push({ message: `No settings can be recommended: ${messageOf(error)}` })
    return {}
  }
}

function called<T>(
  { system, configuration, calls }: Discoverable,
  name: OperationName,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  return calls.call({ system, name, timeout: timeoutOf(configuration, name) }, undefined, work)
}

function isAgreed(objectClass: string): boolean {
  return /^__.+__$/.test(objectClass)
}

/** `__ACCOUNT__` is called `account`; what cannot stand in a path is replaced. */
function typeName(objectClass: string): string {
  const name = isAgreed(objectClass) ? objectClass.slice(2, -2).toLowerCase() : objectClass
  return name.replace(/[^\p{L}\p{N}._-]/gu, '_')
}

function freeName(wanted: string, taken: JsonObject): string {
  let name = wanted
  for (let n = 2; Object.hasOwn(taken, name); n++) name = `${wanted}${n}`
  return name
}

function declaredType(
  objectClass: string,
  { attributes, findings: told = [] }: ObjectClass,
  connector: Connector,
  findings: DiscoveryFinding[],
): JsonObject {
  for (const message of told) findings.push({ nativeType: objectClass, message })
  const agreed = connector.agreedNames?.(objectClass) ?? {}
  const agreedOf = new Map(Object.entries(agreed).map(([name, attribute]) => [attribute, name]))
  const properties: JsonObject = {}
  for (const attribute of attributes) {
    const fault = faultOf(attribute)
    if (fault) findings.push({ nativeType: objectClass, nativeName: String(attribute?.name), message: fault })
    else properties[attribute.name] = declarationOf(attribute, agreedOf.get(attribute.name) ?? attribute.name)
  }
  return {
    $schema: 'http://json-schema.org/draft-03/schema',
    id: objectClass,
    type: 'object',
    nativeType: objectClass,
    properties,
  }
}

const types: Readonly<Record<AttributeType, { readonly type: string; readonly nativeType: string }>> = {
  string: { type: 'string', nativeType: 'string' },
  number: { type: 'number', nativeType: 'number' },
  integer: { type: 'integer', nativeType: 'integer' },
  boolean: { type: 'boolean', nativeType: 'boolean' },
  bytes: { type: 'string', nativeType: 'JAVA_TYPE_BYTE_ARRAY' },
  date: { type: 'string', nativeType: 'JAVA_TYPE_DATE' },
  object: { type: 'object', nativeType: 'object' },
  any: { type: 'any', nativeType: 'any' },
}

/** Connectors that are scripts may give anything. */
function faultOf(attribute: Partial<NativeAttribute> | null | undefined): string | undefined {
  const { name, type } = attribute ?? {}
  if (typeof name !== 'string' || name === '') return 'An attribute without a name is left out'
  if (typeof type === 'string' && Object.hasOwn(types, type)) return undefined
  return `The attribute ${name} is of the type ${JSON.stringify(type)}, which is not known; it is left out`
}

function declarationOf(attribute: NativeAttribute, nativeName: string): JsonObject {
  const { type, multivalued, required, secret } = attribute
  const element = secret ? { type: 'string', nativeType: 'JAVA_TYPE_GUARDEDSTRING' } : { ...types[type] }
  const shape = multivalued ? { type: 'array', items: element } : element
  const flags = [
    ...(attribute.creatable === false ? ['NOT_CREATABLE'] : []),
    ...(attribute.updateable === false ? ['NOT_UPDATEABLE'] : []),
    ...(attribute.readable === false || secret ? ['NOT_READABLE'] : []),
    ...(attribute.returnedByDefault === false || secret ? ['NOT_RETURNED_BY_DEFAULT'] : []),
  ]
  return { ...shape, nativeName, ...(required && { required }), ...(flags.length > 0 && { flags }) }
}
