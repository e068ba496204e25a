import type { Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { SortKey } from '../../model/sort.ts'

/**
 * What a connector is: an object that implements the capabilities its system can honour. Whoever uses it asks
 * `offers(connector, 'search')`; there are no flags. Everything works on pages.
 *
 * Objects are in the vocabulary of the connector: `__UID__` and `__NAME__` do not appear; the uid is `_id`, and the
 * other keys are *native* attribute names. Translation from the property names of the configuration
 * (`nativeName`, types, flags: platform §4.2, §4.4) is done by wrap/, once for all connectors.
 */
export type ConnectorObject = JsonObject & { _id: string }

export interface ConnectorQuery {
  /** The object class at the connector, e.g. `__ACCOUNT__`. */
  readonly objectClass: string
  /** Over native attributes and `_id`. A connector that cannot filter says so by `filters: false` in Search. */
  readonly filter: Filter
  /** Native names wanted; absent: all that are returned by default. */
  readonly fields?: readonly string[] | undefined
  readonly pageSize?: number
  readonly sortKeys?: readonly SortKey[]
}

export interface Test {
  /** Resolves if the system can be used as configured; otherwise rejects with a Problem that says why. */
  test(signal?: AbortSignal): Promise<void>
}

export interface NativeAttribute {
  readonly name: string
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'any'
  readonly multivalued: boolean
  readonly required: boolean
}

export interface Schema {
  schema(): Promise<Readonly<Record<string, { readonly attributes: readonly NativeAttribute[] }>>>
}

export interface Search {
  /** True if `search` applies the filter itself; otherwise a wrapper filters what it returns. */
  readonly filters: boolean
  /** How attributes compare in this system's own filters; undefined where the system decides in ways we cannot know. */
  readonly comparison: 'exact' | undefined
  /** Pages of objects in a stable order. Reading streams: memory does not grow with the system. */
  search(query: ConnectorQuery, signal?: AbortSignal): AsyncIterable<readonly ConnectorObject[]>
}

export interface ReadMany {
  /** The objects of these ids, keyed by the id asked for; missing ones are absent. One round trip where the system can. */
  readMany(
    objectClass: string,
    ids: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorObject>>
}

export interface Count {
  /** How many objects of a class there are, where the system knows that without reading them all. */
  count(objectClass: string, signal?: AbortSignal): Promise<number>
}

/** One write. `attributes` are native; in an update null clears and an absent attribute stays. */
export type ConnectorWrite =
  | { readonly operation: 'create'; readonly id?: string | undefined; readonly attributes: JsonObject }
  | { readonly operation: 'update'; readonly id: string; readonly attributes: JsonObject }
  | { readonly operation: 'delete'; readonly id: string }

/** `id` is the id under which the system has the object afterwards; it may differ from the one asked for. */
export type ConnectorWriteOutcome =
  | { readonly ok: true; readonly id: string; readonly object?: ConnectorObject | undefined }
  | { readonly ok: false; readonly error: Error }

export interface Write {
  /**
   * Applies the writes of one page in order; outcomes stand at the place of their write, and the failure of one does
   * not stop the others. Rejects only when the page as a whole could not be written (disk full, connection
   * lost); then a system that can has written none of it.
   */
  writeMany(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]>
}

export interface IdOf {
  /**
   * The uid of an object with these attributes, before it is written; `proposed` where it has none and the system takes
   * the caller's. undefined where the system alone gives uids.
   */
  idOf(objectClass: string, attributes: JsonObject, proposed?: string): string | undefined
}

/** Up to where changes are known: what the connector makes of it is its own business. */
export type SyncToken = string | number | JsonObject

/** One change since a token. `token`: up to here everything has been told; null where there was none yet. */
export type ConnectorChange =
  | {
      readonly kind: 'CREATE' | 'UPDATE' | 'CREATE_OR_UPDATE'
      readonly id: string
      readonly object: ConnectorObject
      /** The id before a rename. */
      readonly previousId?: string
      readonly token: SyncToken | null
    }
  | { readonly kind: 'DELETE'; readonly id: string; readonly token: SyncToken | null }
  /** Comes last, if at all: nothing more has changed until this token. */
  | { readonly kind: 'END'; readonly token: SyncToken }

export interface Changes {
  /** The present: what changes from now on is told by `changesSince` it. */
  latestToken(objectClass: string, signal?: AbortSignal): Promise<SyncToken>
  /** What has changed since, in order; without a token, everything that there is. CONNECTOR_FAILED if the token is of no use any more. */
  changesSince(
    objectClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncIterable<ConnectorChange>
}

export interface Authenticate {
  /** The uid of the account; UNAUTHORIZED if the password is wrong or there is no such account. */
  authenticate(objectClass: string, username: string, password: string): Promise<string>
}

export interface Lifecycle extends AsyncDisposable {
  readonly displayName: string
  /** Native attributes behind agreed names, e.g. `__NAME__` and `__PASSWORD__`; other names stay as they are. */
  readonly agreedNames?: Readonly<Record<string, string>>
}

interface Capabilities extends Test, Schema, Search, ReadMany, Count, Write, IdOf, Changes, Authenticate {}
export type Connector = Lifecycle & Partial<Capabilities>

export function offers<K extends keyof Capabilities>(
  connector: Connector,
  capability: K,
): connector is Connector & Pick<Capabilities, K> {
  return connector[capability] !== undefined
}

/** A kind of connector: what `connectorRef.connectorName` selects. */
export interface ConnectorKind {
  /** e.g. `org.forgerock.openicf.csvfile.CSVFileConnector`. */
  readonly connectorName: string
  readonly displayName: string
  readonly bundleName: string
  readonly bundleVersion: string
  /** JSON Schema of `configurationProperties`, with `description` and `default` for every property. */
  readonly configurationSchema: Json
  /** Relative paths in the configuration are resolved against the project folder. Does no I/O. */
  create(configuration: JsonObject, environment: { readonly projectFolder: string }): Connector
}
