import type { JsonObject } from '../../model/json.ts'
import type { Listing } from '../../model/listing.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type {
  Entry,
  ObjectSet,
  ObjectWriteResult,
  RequestContext,
  ResourcePage,
  ResourceQuery,
} from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import type { Schema } from '../kit/schema.ts'
import { Secret } from '../kit/values.ts'
import { changed } from '../kit/write.ts'
import { creation, update } from './convert.ts'
import { splitNatively } from './filter.ts'
import { heldContents } from './held.ts'
import { judgeWrites } from './judge.ts'
import type { ObjectType } from './object-type.ts'
import { foundPages, ignoresCase, queryPage, readMany } from './read-objects.ts'
import { setChanges } from './set-changes.ts'
import { type SystemFacts, TypeAccess } from './type-access.ts'
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
  ): AsyncGenerator<readonly Entry[], Listing>
  query(query: ResourceQuery): Promise<ResourcePage>
  writeMany(
    writes: readonly SystemWriteRequest[],
    request: RequestContext,
    signal?: AbortSignal,
    idsSuffice?: boolean,
  ): Promise<readonly ObjectWriteResult[]>
  /** True for properties that have several values. */
  isList(property: string): boolean
  authenticate(username: string, password: string): Promise<string>
}

export function systemObjects(facts: SystemFacts, type: ObjectType): SystemObjects {
  const { connector } = facts
  const { objectClass, properties } = type
  const access = new TypeAccess(facts, type)
  return {
    path: access.path,
    pages: (query, signal) => foundPages(access, query, signal),
    query: (query) => queryPage(access, query),
    async readMany(ids, signal) {
      access.permission('GET')
      return readMany(access, ids, undefined, signal)
    },
    writeMany: (writes, request, signal, idsSuffice) => {
      if (request.readOnly) {
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to system/${facts.system}`)
      }
      return writeObjects(access, writes, signal, idsSuffice)
    },
    ...(offers(connector, 'count') && {
      count: () => access.call('SEARCH', undefined, (signal) => connector.count(objectClass, signal)),
    }),
    isSecret: ([name = '']) => properties.get(name)?.isGuarded === true,
    idOf: (write, proposed) => idOf(access, write, proposed),
    exchangesIds: offers(connector, 'exchangesIds') && connector.exchangesIds(objectClass),
    ...(offers(connector, 'schema') && { properties: comparing(access, connector) }),
    asHeld: (updates) => heldContents(access, updates),
    judge: (writes) => judgeWrites(access, writes),
    comparison: (pointer) => comparison(access, pointer),
    updatesInPart: true,
    isList: (property) => properties.get(property)?.multivalued === true,
    ...(offers(connector, 'latestToken') &&
      offers(connector, 'changesSince') && { changes: setChanges(access, connector) }),
    async authenticate(username, password) {
      if (!offers(connector, 'authenticate')) throw access.notOffered('AUTHENTICATE')
      access.permission('AUTHENTICATE')
      return access.call('AUTHENTICATE', undefined, (signal) =>
        connector.authenticate(objectClass, username, new Secret(password), signal),
      )
    },
  }
}

/** Comparisons left to Syncline are exact; the others are as the schema of the connector says. */
function comparison(access: TypeAccess, pointer: Pointer): 'exact' | 'ignoreCase' | undefined {
  const { connector, facts, type } = access
  const [name, ...deeper] = pointer
  if (name === undefined || deeper.length > 0 || ignoresCase(facts.configuration)) return undefined
  if (!offers(connector, 'search')) return undefined
  const property = type.properties.get(name)
  if (name !== '_id' && !property?.readable) return undefined
  if (!offers(connector, 'split')) return 'exact'
  const asked = { kind: 'compare', operator: 'eq', pointer, value: '' } as const
  const { rest } = splitNatively(asked, type, (native) => connector.split(type.objectClass, native))
  if (rest.kind !== 'literal') return 'exact'
  const ofSchema = access.comparisonOf(property)
  return ofSchema === 'unknown' ? undefined : ofSchema
}

/** Content that cannot be sent has no id; the write reports the error. */
function idOf(
  { connector, type }: TypeAccess,
  { operation, content }: { readonly operation: 'create' | 'update'; readonly content: JsonObject },
  proposed: string | undefined,
): string | undefined {
  if (!offers(connector, 'idOf')) return undefined
  const id = operation === 'create' ? (idInContent(content) ?? proposed) : proposed
  try {
    const attributes =
      operation === 'create' ? creation(type, content, id) : changed({}, update(type, content))
    return connector.idOf(type.objectClass, attributes, id)
  } catch {
    return undefined
  }
}

function comparing(access: TypeAccess, connector: Schema): NonNullable<ObjectSet['properties']> {
  return async (signal) => {
    const attributes = new Set((await access.attributes(connector, signal)).map(({ name }) => name))
    const readable = [...access.type.properties.values()].filter((property) => property.readable)
    const { present = [], absent = [] } = Object.groupBy(readable, ({ attribute }) =>
      attribute === '_id' || attributes.has(attribute) ? 'present' : 'absent',
    )
    const declared = new Set([...access.type.properties.values()].map(({ attribute }) => attribute))
    const undeclared = [...attributes].filter((name) => !declared.has(name))
    return { present, absent, undeclared }
  }
}
