import type { JsonObject } from '../../model/json.ts'
import type { Listing } from '../../model/listing.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type {
  ObjectSet,
  ObjectWriteResult,
  RequestContext,
  Resource,
  ResourcePage,
  ResourceQuery,
} from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import type { Count } from '../kit/query.ts'
import type { Schema } from '../kit/schema.ts'
import { Secret } from '../kit/values.ts'
import { changed } from '../kit/write.ts'
import { creation, update } from './convert.ts'
import { notOffered, operation, type SystemFacts } from './facts.ts'
import { splitNatively } from './filter.ts'
import { comparisonOf, type NativeSchema, nativeSchema } from './native-schema.ts'
import type { ObjectType } from './object-type.ts'
import { permission } from './operation.ts'
import { foundPages, ignoresCase, queryPage, readMany } from './read-objects.ts'
import { offersChanges, setChanges } from './set-changes.ts'
import { idInContent, type SystemWriteRequest, writeObjects } from './write-objects.ts'

/**
 * The objects of one type of a system: what a connector offers, in the configuration's names and with
 * everything supplied that the connector lacks (platform §4). Single objects are handled as pages
 * of one, so there is no second copy of the rules.
 */
export interface SystemObjects extends ObjectSet {
  /** Returns whether the listing is complete. */
  pages(
    query: Parameters<ObjectSet['pages']>[0],
    signal?: AbortSignal,
  ): AsyncGenerator<readonly Resource[], Listing>
  query(query: ResourceQuery): Promise<ResourcePage>
  writeMany(
    writes: readonly SystemWriteRequest[],
    request: RequestContext,
    signal?: AbortSignal,
  ): Promise<readonly ObjectWriteResult[]>
  /** True for properties that have several values. */
  isList(property: string): boolean
  authenticate(username: string, password: string): Promise<string>
}

export function systemObjects(facts: SystemFacts, type: ObjectType): SystemObjects {
  const { connector } = facts
  const schema = nativeSchema(facts, type)
  return {
    path: `system/${facts.system}/${type.name}`,
    pages: (query, signal) => foundPages(facts, type, query, schema, signal),
    query: (query) => queryPage(facts, type, query, schema),
    async readMany(ids, signal) {
      permission(facts.configuration, 'GET', type)
      return readMany(facts, type, ids, undefined, signal)
    },
    writeMany: (writes, request, signal) => {
      if (request.readOnly) {
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to system/${facts.system}`)
      }
      return writeObjects(facts, type, writes, signal)
    },
    ...(offers(connector, 'count') ? { count: counting(facts, type, connector) } : {}),
    isSecret: ([name = '']) => type.properties.get(name)?.isGuarded === true,
    idOf: (write, proposed) => idOf(facts, type, write, proposed),
    ...(offers(connector, 'schema') ? { properties: comparing(facts, type, connector) } : {}),
    comparison: (pointer) => comparison(facts, type, schema, pointer),
    updatesInPart: true,
    isList: (property) => type.properties.get(property)?.multivalued === true,
    ...(offersChanges(connector) ? { changes: setChanges(facts, type, connector) } : {}),
    async authenticate(username, password) {
      if (!offers(connector, 'authenticate')) throw notOffered(facts, 'AUTHENTICATE')
      permission(facts.configuration, 'AUTHENTICATE', type)
      return facts.calls.call(operation(facts, 'AUTHENTICATE', type), undefined, (signal) =>
        connector.authenticate(type.objectClass, username, new Secret(password), signal),
      )
    },
  }
}

/** Comparisons left to Syncline are exact; the others are as the schema of the connector says. */
function comparison(
  { connector, configuration }: SystemFacts,
  type: ObjectType,
  schema: NativeSchema,
  pointer: Pointer,
): 'exact' | 'ignoreCase' | undefined {
  const [name, ...deeper] = pointer
  if (name === undefined || deeper.length > 0 || ignoresCase(configuration)) return undefined
  if (!offers(connector, 'search')) return undefined
  const property = type.properties.get(name)
  if (name !== '_id' && !property?.readable) return undefined
  if (!offers(connector, 'split')) return 'exact'
  const asked = { kind: 'compare', operator: 'eq', pointer, value: '' } as const
  const { rest } = splitNatively(asked, type, (native) => connector.split(type.objectClass, native))
  if (rest.kind !== 'literal') return 'exact'
  const ofSchema = comparisonOf(schema, property)
  return ofSchema === 'unknown' ? undefined : ofSchema
}

function counting(
  facts: SystemFacts,
  type: ObjectType,
  connector: Pick<Count, 'count'>,
): () => Promise<number> {
  return () =>
    facts.calls.call(operation(facts, 'SEARCH', type), undefined, (signal) =>
      connector.count(type.objectClass, signal),
    )
}

/** Content that cannot be sent has no id; the write reports the error. */
function idOf(
  { connector }: SystemFacts,
  type: ObjectType,
  { operation: kind, content }: { readonly operation: 'create' | 'update'; readonly content: JsonObject },
  proposed: string | undefined,
): string | undefined {
  if (!offers(connector, 'idOf')) return undefined
  const id = kind === 'create' ? (idInContent(content) ?? proposed) : proposed
  try {
    const attributes = kind === 'create' ? creation(type, content, id) : changed({}, update(type, content))
    return connector.idOf(type.objectClass, attributes, id)
  } catch {
    return undefined
  }
}

function comparing(
  facts: SystemFacts,
  type: ObjectType,
  connector: Pick<Schema, 'schema'>,
): NonNullable<ObjectSet['properties']> {
  return async (signal) => {
    const classes = await facts.calls.call(operation(facts, 'SCHEMA', type), signal, (both) =>
      connector.schema(both),
    )
    const attributes = new Set(classes[type.objectClass]?.attributes.map(({ name }) => name))
    const readable = [...type.properties.values()].filter((property) => property.readable)
    const { present = [], absent = [] } = Object.groupBy(readable, ({ attribute }) =>
      attribute === '_id' || attributes.has(attribute) ? 'present' : 'absent',
    )
    return { present, absent }
  }
}
