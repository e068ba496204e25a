import type { Filter } from '../model/filter/filter.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { PatchOperation } from '../model/patch.ts'
import type { Pointer } from '../model/pointer.ts'
import type { SortKey } from '../model/sort.ts'
import type { Store } from '../repository/repository.ts'

/**
 * The port behind which every object set and service stands. REST, scripts and mappings speak to it; a path is
 * `managed/user/jdoe`, without a leading slash, its segments decoded by whoever split them.
 */
export interface Resources {
  read(path: string, request: RequestContext & { fields?: readonly Pointer[] }): Promise<Resource>
  query(path: string, query: ResourceQuery, request: RequestContext): Promise<ResourcePage>
  create(
    path: string,
    id: string | undefined,
    content: JsonObject,
    request: RequestContext,
  ): Promise<Resource>
  /** `rev` undefined: whatever the revision. */
  update(
    path: string,
    rev: string | undefined,
    content: JsonObject,
    request: RequestContext,
  ): Promise<Resource>
  patch(
    path: string,
    rev: string | undefined,
    operations: readonly PatchOperation[],
    request: RequestContext,
  ): Promise<Resource>
  delete(path: string, rev: string | undefined, request: RequestContext): Promise<Resource>
  action(path: string, action: ResourceAction, request: RequestContext): Promise<Json>
  /** The bulk face of an object set such as `managed/user` or `system/hr/account`; NOT_FOUND if there is none. */
  objectSet(path: string): ObjectSet
}

/** Who asks, and how. Passed unchanged to whatever a request causes. */
export interface RequestContext {
  /** True for requests from outside (REST); those are authorized. */
  readonly external: boolean
  /** e.g. `openidm-admin`, or `system` for the server's own work. */
  readonly userId: string
  readonly roles: readonly string[]
  readonly transactionId: string
  /** True if the caller has given his password once more with this very request. */
  readonly reauthenticated?: boolean
  /** Where a request from outside came from. */
  readonly address?: string
  /** True for the engine's own reading: all that is there, not only what is returned by default. */
  readonly whole?: boolean
  /** True while nothing may change (dry runs): providers refuse writes. */
  readonly readOnly?: boolean
  /** Additional parameters of the request, as text; none where it came without. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
  readonly chain?: Chain
}

/** What a request is part of, where one request causes the next. Never leaves the process. */
export interface Chain {
  /** Keys of the objects that are being worked on already (engine §7.2): nobody waits for himself. */
  readonly held?: ReadonlySet<string>
  /**
   * What is being carried through a mapping at this moment, by `flowKey`: a script in its midst that changes the same object
   * would begin the same once more, before there is a link. What follows from such a change waits for the end.
   */
  readonly flowing?: ReadonlyMap<string, Postpone>
  /** How often the change was put off before: scripts that always change their object come to an end. */
  readonly putOff?: number
  /** False: what changes is not carried on to other systems (engine §8.1). */
  readonly synchronizes?: boolean
  /** True while a change that could not be carried on is taken back (engine §8.4). */
  readonly compensating?: boolean
  /** Whoever writes many objects at once, or has something of his own to store first, takes what follows here. */
  readonly afterwards?: Afterwards
}

/** Takes work for when the object is no longer being worked on; it is done within the chain given. */
export type Postpone = (work: (chain: Chain) => Promise<void>) => void

/**
 * Takes what follows from a write, by the position of the write in its page: carrying the change on to other systems. To
 * be done as soon as the taker's own part is stored; a rejection says that the write is not to count.
 */
export type Afterwards = (position: number, work: () => Promise<void>) => void

export type Resource = JsonObject & { _id: string; _rev?: string }

export interface ResourceQuery {
  readonly filter: Filter
  readonly fields?: readonly Pointer[]
  readonly sortKeys?: readonly SortKey[]
  readonly pageSize?: number
  readonly cookie?: string | undefined
  readonly offset?: number
  readonly totalPolicy?: 'NONE' | 'ESTIMATE' | 'EXACT'
  /** Additional request parameters, as strings. */
  readonly parameters?: Readonly<Record<string, string>>
}

export interface ResourcePage {
  readonly result: readonly Resource[]
  readonly cookie: string | null
  /** undefined: unknown. */
  readonly total?: number | undefined
}

export interface ResourceAction {
  readonly name: string
  readonly content: Json
  readonly parameters: Readonly<Record<string, string>>
}

/** One resource subtree. Members that a provider lacks answer 501. `path` is relative to where it is mounted. */
export interface ResourceProvider {
  read?(path: string, request: RequestContext & { fields?: readonly Pointer[] }): Promise<Resource>
  query?(path: string, query: ResourceQuery, request: RequestContext): Promise<ResourcePage>
  create?(
    path: string,
    id: string | undefined,
    content: JsonObject,
    request: RequestContext,
  ): Promise<Resource>
  update?(
    path: string,
    rev: string | undefined,
    content: JsonObject,
    request: RequestContext,
  ): Promise<Resource>
  patch?(
    path: string,
    rev: string | undefined,
    operations: readonly PatchOperation[],
    request: RequestContext,
  ): Promise<Resource>
  delete?(path: string, rev: string | undefined, request: RequestContext): Promise<Resource>
  action?(path: string, action: ResourceAction, request: RequestContext): Promise<Json>
  objectSet?(path: string): ObjectSet | undefined
}

export type ObjectWriteRequest =
  | { readonly operation: 'create'; readonly id?: string | undefined; readonly content: JsonObject }
  | {
      readonly operation: 'update'
      readonly id: string
      readonly rev?: string | undefined
      readonly content: JsonObject
    }
  | { readonly operation: 'delete'; readonly id: string; readonly rev?: string | undefined }

export type ObjectWriteResult =
  | { readonly ok: true; readonly object: Resource }
  | { readonly ok: false; readonly error: Error }

/** A property of the configuration and the attribute it stands for in the system, e.g. `mail` and `work_mail`. */
export interface SystemProperty {
  readonly name: string
  readonly attribute: string
}

/** Up to where the changes of a set are known; opaque. */
export type SyncToken = string | number | JsonObject

/** A change of one object of a set; `token`: up to here everything has been told. END comes last, if at all. */
export type SetChange =
  | {
      readonly kind: 'CREATE' | 'UPDATE' | 'CREATE_OR_UPDATE'
      readonly id: string
      readonly object: Resource
      readonly previousId?: string | undefined
      readonly token: SyncToken | null
    }
  | { readonly kind: 'DELETE'; readonly id: string; readonly token: SyncToken | null }
  | { readonly kind: 'END'; readonly token: SyncToken }

export interface SetChanges {
  latestToken(signal?: AbortSignal): Promise<SyncToken>
  /** In order; without a token, everything that there is. */
  since(token: SyncToken | null, signal?: AbortSignal): AsyncIterable<SetChange>
}

/** The pages that the engine works with: the same objects as through the router, many at a time. */
export interface ObjectSet {
  readonly path: string
  /** Whole objects (or `fields` of them) that match, in pages; order is stable within one reading. */
  pages(
    query: {
      filter: Filter
      fields?: readonly Pointer[]
      pageSize: number
      parameters?: Readonly<Record<string, string>>
    },
    signal?: AbortSignal,
  ): AsyncIterable<readonly Resource[]>
  /** Objects by id, keyed by the id asked for; missing ones are absent. */
  readMany(ids: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, Resource>>
  /** In order; one outcome a write; the failure of one does not stop the others. */
  writeMany(
    writes: readonly ObjectWriteRequest[],
    request: RequestContext,
    signal?: AbortSignal,
  ): Promise<readonly ObjectWriteResult[]>
  /**
   * The id under which an object of this content stands when it has been written. For a create, `proposed` is an id that
   * the caller would choose, which comes back where the set leaves the choice to its caller. undefined where only
   * the system itself knows.
   */
  idOf(
    write: { readonly operation: 'create' | 'update'; readonly content: JsonObject },
    proposed?: string,
  ): string | undefined
  /** True for attributes whose values nobody may read, passwords first of all. Absent: there are none. */
  isSecret?(pointer: Pointer): boolean
  /** An update leaves alone what its content does not mention (platform §4.4): null clears an attribute. */
  readonly updatesInPart?: boolean
  /** True for properties that an update leaves as they are if its content does not mention them: relationships. */
  leavesAlone?(property: string): boolean
  /** How the set's own filters compare the text of an attribute; undefined where only the set itself can tell. */
  comparison(pointer: Pointer): 'exact' | 'ignoreCase' | undefined
  /**
   * Of the declared properties that can be read: those that the system has an attribute for at present, and the
   * others, which read as null. Absent where the set has no schema of its own to compare with.
   */
  properties?(signal?: AbortSignal): Promise<{
    readonly present: readonly SystemProperty[]
    readonly absent: readonly SystemProperty[]
  }>
  /** What has changed since one last asked; absent where the system cannot tell. */
  readonly changes?: SetChanges
  /** Total number of objects if the set knows it cheaply. */
  count?(): Promise<number>
  /**
   * Only sets that live in the repository: the same set writing and reading inside the given transaction, so that
   * object, link and audit entry are kept or dropped together.
   */
  joining?(transaction: Store): ObjectSet
}
