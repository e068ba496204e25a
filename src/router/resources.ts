import type { Filter } from '../model/filter/filter.ts'
import type { ForeseenValues } from '../model/foreseen-values.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { IncompleteListing, Listing } from '../model/listing.ts'
import type { PatchOperation } from '../model/patch.ts'
import type { Pointer } from '../model/pointer.ts'
import type { Problem } from '../model/problem.ts'
import type { SortKey } from '../model/sort.ts'
import type { Unreadable } from '../model/unreadable.ts'
import type { Store } from '../repository/repository.ts'

/**
 * The port to all object sets and services, used by REST, scripts and mappings. A path is `managed/user/jdoe`, without a
 * leading slash. Its segments are encoded; code that splits the path decodes them.
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
  /** `rev` undefined: any revision. */
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
  /** The bulk interface of an object set such as `managed/user` or `system/hr/account`; NOT_FOUND if there is none. */
  objectSet(path: string): ObjectSet
}

/** Who sends a request, and how. Passed unchanged to all requests that it causes. */
export interface RequestContext {
  /** True for external requests (REST); those are authorized. */
  readonly external: boolean
  /** e.g. `openidm-admin`, or `system` for the server's own work. */
  readonly userId: string
  readonly roles: readonly string[]
  /** The object that is the account of the caller. Absent: `userId` is an account of the server itself. */
  readonly account?: { readonly component: string; readonly id: string }
  /** The id of the session that an external request belongs to. */
  readonly session?: string
  readonly transactionId: string
  /** What began it, where that is neither an external request nor a script. */
  readonly trigger?: 'cli' | 'schedule'
  /** True if the caller has sent the password again with this request. */
  readonly reauthenticated?: boolean
  /** The address that an external request came from. */
  readonly address?: string
  /** The languages that the sender of an external request prefers, e.g. `fr-CA`; the first before the others. */
  readonly languages?: readonly string[]
  /** True for reads by the engine: all fields, not only those returned by default. */
  readonly whole?: boolean
  /** True while nothing may change (dry runs): providers refuse writes. */
  readonly readOnly?: boolean
  /** Told of each write that is refused because of `readOnly`, even if the script that wanted it goes on. */
  readonly onRefusedWrite?: (fact: string) => void
  /** Additional parameters of the request, as text. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
  readonly chain?: Chain
}

/** The context of requests that cause each other. Never leaves the process. */
export interface Chain {
  /** Keys of the objects that this chain has locked (engine §7.2), so that it does not wait for itself. */
  readonly held?: ReadonlySet<string>
  /**
   * The objects that a mapping is synchronizing now, by `progressKey`. If a script changes the same object meanwhile, the same
   * synchronization would start again before there is a link. So the effects of such a change are deferred to the end.
   */
  readonly inProgress?: ReadonlyMap<string, Postpone>
  /** How often the change was deferred before: a limit for scripts that always change their object. */
  readonly postponements?: number
  /** False: changes are not synchronized to other systems (engine §8.1). */
  readonly synchronizes?: boolean
  /** While a change that could not be synchronized is undone (engine §8.4): takes the results of undoing it elsewhere. */
  readonly compensating?: (results: readonly Json[]) => void
  /** The last revision of each object that this chain has written, by path; undefined: deleted. Kept where a write may be taken back. */
  readonly revisions?: Map<string, string | undefined>
  /** Set by callers that write many objects, or must store something first: they run the follow-up work themselves. */
  readonly takeFollowUp?: TakeFollowUp
  /** The mapping that writes. Its own record says what changed. */
  readonly mapping?: string
}

/** Defers work until the object is no longer being synchronized. It then runs with the given chain. */
export type Postpone = (work: (chain: Chain) => Promise<void>) => void

/**
 * Takes the follow-up work of a write (synchronizing it to other systems), by the position of the write in its page. The
 * taker runs it as soon as its own part is stored. If it rejects, the write must be treated as failed.
 */
export type TakeFollowUp = (position: number, work: () => Promise<void>) => void

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
  /** Asks how many match: the router answers with one object that has `total`. */
  readonly counts?: true
}

/** An object, or in its place why it cannot be read. */
export type Entry = Resource | Unreadable

export interface ResourcePage {
  readonly result: readonly Resource[]
  readonly cookie: string | null
  /** Undefined: unknown. */
  readonly total?: number | undefined
  /** What belongs to the result, or might, and cannot be read. */
  readonly unreadable?: readonly Unreadable[] | undefined
  /** Absent: all there is was looked at. */
  readonly listing?: IncompleteListing | undefined
}

export interface ResourceAction {
  readonly name: string
  readonly content: Json
  readonly parameters: Readonly<Record<string, string>>
}

/** One resource subtree. A missing method is answered with 501. `path` is relative to the mount. */
export interface ResourceProvider extends Partial<Omit<Resources, 'objectSet'>> {
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

/** A property of the configuration and its attribute in the system, e.g. `mail` and `work_mail`. */
export interface SystemProperty {
  readonly name: string
  readonly attribute: string
}

/** A position in the changes of a set; opaque. */
export type SyncToken = string | number | JsonObject

/** A change of one object of a set. `token`: all changes up to here have been reported. END or INCOMPLETE comes last, if at all. */
export type SetChange =
  | {
      readonly kind: 'CREATE' | 'UPDATE' | 'CREATE_OR_UPDATE'
      readonly id: string
      readonly object: Entry
      readonly previousId?: string | undefined
      readonly token: SyncToken | null
    }
  | { readonly kind: 'DELETE'; readonly id: string; readonly token: SyncToken | null }
  | { readonly kind: 'END'; readonly token: SyncToken }
  /** The listing that shows what is gone is not complete: no deletions are reported, and later ones count from where these did. */
  | { readonly kind: 'INCOMPLETE'; readonly listing: IncompleteListing }

/** What a set tells beside changes, for whoever knows what was there before. */
export type Remark =
  /** These are there. All that is left is listed in this way before the end, because the system does not say what was deleted. */
  | { readonly kind: 'PRESENT'; readonly ids: readonly string[] }
  /** From the given token on nothing can be told: everything has to be compared. Nothing else follows. */
  | { readonly kind: 'LOST'; readonly reason: string }

export interface SetChanges {
  latestToken(signal?: AbortSignal): Promise<SyncToken>
  /** The changes in order; without a token, everything that is there. */
  since(token: SyncToken | null, signal?: AbortSignal): AsyncIterable<SetChange | Remark>
}

// biome-ignore lint/suspicious/noConfusingVoidType: a generator without `return` gives void.
export type ListingEnd = Listing | undefined | void

/** What an object is to become, and what it is. */
export interface ProposedUpdate {
  readonly content: JsonObject
  readonly existing: Resource
}

/** What is known of a write before it is done; undefined: nothing stands in its way. */
export type Judgement =
  | { readonly kind: 'refused'; readonly problem: Problem }
  /** A script may come to something else when it may write. */
  | { readonly kind: 'unforeseen'; readonly why: string }
  | undefined

/** The bulk interface for the engine: the same objects as through the router, in pages. */
export interface ObjectSet {
  readonly path: string
  /**
   * The objects that match, whole or with `fields`, in pages. The order is stable within one call. What the generator returns
   * says whether the listing is complete; nothing means that it is.
   */
  pages(
    query: {
      filter: Filter
      fields?: readonly Pointer[]
      pageSize: number
      parameters?: Readonly<Record<string, string>>
    },
    signal?: AbortSignal,
  ): AsyncIterable<readonly Entry[], ListingEnd>
  /** Objects by id, keyed by the requested id; missing ones are absent. */
  readMany(ids: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, Entry>>
  /**
   * Objects that were not read from the set, such as the values of a change, with what reading adds to them. `before`: what was
   * stored of a computed property is what it was then. An object whose scripts fail stays as it is. Absent: nothing is added.
   */
  asRead?(objects: readonly Resource[], when: 'before' | 'now'): Promise<readonly Resource[]>
  /**
   * In order, with one outcome for each write. The failure of one does not stop the others. `idsSuffice`: nobody looks at more of
   * the objects in the outcomes than their ids, so a set need not read them again.
   */
  writeMany(
    writes: readonly ObjectWriteRequest[],
    request: RequestContext,
    signal?: AbortSignal,
    idsSuffice?: boolean,
  ): Promise<readonly ObjectWriteResult[]>
  /**
   * The id that an object with this content has after it was written. For a create, `proposed` is the caller's choice;
   * it is returned if the set lets the caller choose. Undefined if only the system itself knows the id.
   */
  idOf(
    write: { readonly operation: 'create' | 'update'; readonly content: JsonObject },
    proposed?: string,
  ): string | undefined
  /**
   * True: whether an id is taken is judged at the end of a page of writes, so that its objects can take each other's, and such a page
   * is done as a whole or not at all. Absent: a write finds the ids taken that are so at its turn.
   */
  readonly exchangesIds?: boolean
  /**
   * The contents of updates as the set would give them back afterwards, at their places: values that it regards as those of `existing` in their
   * form, e.g. text for a number, a stored hash for its plaintext, the order of an unordered list. So nothing is written that
   * changes nothing. Nothing is changed here; what the set would refuse stays as it is. Absent: everything is held as it is given.
   */
  asHeld?(updates: readonly ProposedUpdate[]): Promise<readonly JsonObject[]>
  /** Properties of which no two objects have the same value, as far as the set judges that itself. */
  readonly unique?: readonly string[] | undefined
  /**
   * What would become of these writes as one page, at their places: policies, values and attributes that do not fit, what other objects
   * have. `before`: what earlier writes have made of unique values. Nothing is written. Whether an object is there, and whether
   * an id is free, is not judged. Absent: only the set's system knows.
   */
  judge?(
    writes: readonly ObjectWriteRequest[],
    before: ForeseenValues,
    request: RequestContext,
  ): Promise<readonly Judgement[]>
  /** The scripts of the set that run after a write: `postCreate` and its like. Nothing that only looks runs them. */
  readonly scriptsAfterWrites?: readonly string[]
  /** True for attributes whose values must not be read, such as passwords. Absent: there are none. */
  isSecret?(pointer: Pointer): boolean
  /** True: an update keeps attributes that its content does not mention (platform §4.4); null clears an attribute. */
  readonly updatesInPart?: boolean
  /** True for properties that an update keeps if its content does not mention them: relationships. */
  leavesAlone?(property: string): boolean
  /** How the set's own filters compare the text of an attribute; undefined where only the set itself can tell. */
  comparison(pointer: Pointer): 'exact' | 'ignoreCase' | undefined
  /**
   * The declared, readable properties: those for which the system currently has an attribute, and the others, which are
   * read as null. Absent if the set has no schema to compare with.
   */
  properties?(signal?: AbortSignal): Promise<{
    readonly present: readonly SystemProperty[]
    readonly absent: readonly SystemProperty[]
    /** Attributes of the system that no property is declared for. */
    readonly undeclared?: readonly string[]
  }>
  /** The changes since an earlier time; absent if the system cannot report them. */
  readonly changes?: SetChanges
  /** The number of objects; absent if counting is expensive. */
  count?(): Promise<number>
  /**
   * Only for sets in the repository: the same set inside the given transaction, so that object, link and audit entry are
   * stored together or not at all.
   */
  joining?(transaction: Store): ObjectSet
}
