import type { Filter } from '../model/filter/filter.ts'
import type { JsonObject } from '../model/json.ts'
import type { StoredObject } from './objects.ts'
import type { StorePage, StoreQuery } from './query.ts'

/** One end of a relationship (platform §6.1). */
export interface RelationshipEnd {
  readonly collection: string
  readonly id: string
  /** The property that shows the relationship at this end; empty if none does. */
  readonly property: string
}

/** A relationship is stored once, for both ends. */
export interface Relationship {
  readonly _id: string
  readonly first: RelationshipEnd
  readonly second: RelationshipEnd
  /** Of its own: `_refProperties` without `_id` and `_rev`. */
  readonly properties: JsonObject
}

/** A relationship as one of its ends sees it. */
export interface SeenRelationship {
  readonly _id: string
  readonly _rev: string
  readonly own: RelationshipEnd
  readonly other: RelationshipEnd
  readonly properties: JsonObject
}

/** The relationships of one property of a set: of one object, or, without an id, of all. */
export interface RelationshipScope {
  readonly collection: string
  readonly property: string
  readonly id?: string
  /** The collections of the other ends, if filters must see the fields of the objects there. */
  readonly others: readonly string[]
}

export interface Relationships {
  /**
   * The relationships of a page of objects, keyed by object: one statement. `properties` restricts them to those seen there;
   * `to` to those with these other ends. In the order of storing.
   */
  of(
    collection: string,
    ids: readonly string[],
    restriction?: {
      readonly properties?: readonly string[]
      readonly to?: { readonly collection: string; readonly ids: readonly string[] }
    },
  ): Promise<ReadonlyMap<string, readonly SeenRelationship[]>>
  /** Ids of the objects of `collection` whose `property` shows a relationship to one of these. */
  reaching(
    from: { readonly collection: string; readonly property: string },
    to: { readonly collection: string; readonly ids: readonly string[] },
  ): Promise<readonly string[]>
  /** PRECONDITION_FAILED, and none is kept, if there is one of the same id. */
  insert(relationships: readonly Relationship[]): Promise<void>
  /** Replaces their own properties; missing relationships are ignored. */
  update(relationships: readonly { readonly _id: string; readonly properties: JsonObject }[]): Promise<void>
  delete(ids: readonly string[]): Promise<void>
  /**
   * The relationships that one property of one object shows, as references with `_id` and `_rev`. Filters and sort keys see the
   * members of the reference and, where there is none of the name, of the object referred to.
   */
  query(
    scope: RelationshipScope & { readonly id: string },
    query: StoreQuery,
  ): Promise<StorePage<StoredObject>>
  /** Ids of the objects of which some relationship matches, as `query` would see it. */
  owners(scope: RelationshipScope, filter: Filter): Promise<readonly string[]>
}
