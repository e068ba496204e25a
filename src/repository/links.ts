import type { StorePage, StoreQuery } from './query.ts'

/** engine §5.1; ids are local ids, both never null. */
export interface Link {
  readonly _id: string
  readonly _rev: string
  readonly linkType: string
  readonly linkQualifier: string
  readonly firstId: string
  readonly secondId: string
  /** The first system's spelling of an id that is compared, and so stored, in lower case (engine §5.4, [D]). */
  readonly firstSpelling?: string | undefined
  readonly secondSpelling?: string | undefined
}

export interface LinkSet {
  readonly linkType: string
  readonly linkQualifier: string
}

export type LinkSide = 'firstId' | 'secondId'

export interface Links {
  /** The links of one page of ids on one side, keyed by that id: one query. */
  find(set: LinkSet, side: LinkSide, ids: readonly string[]): Promise<ReadonlyMap<string, Link>>
  /** All links of the set, in pages, ordered by firstId. */
  all(set: LinkSet, pageSize?: number): AsyncIterable<readonly Link[]>
  /** Which of these ids have a link of this type under any qualifier: id → qualifiers. */
  qualifiersOf(
    linkType: string,
    side: LinkSide,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, readonly string[]>>
  count(linkType: string, linkQualifier?: string): Promise<number>
  /**
   * Inserts new links. A violated uniqueness ((type, qualifier, firstId) and (type, qualifier, secondId)) is
   * PRECONDITION_FAILED naming both ids, and none of the page is kept.
   */
  insert(links: readonly Omit<Link, '_rev'>[]): Promise<readonly Link[]>
  /**
   * Replaces both ids, and their spellings, of stored links; each must still have the revision given, else PRECONDITION_FAILED.
   * Uniqueness is judged at the end of the page: its links can exchange their ids.
   */
  update(links: readonly Link[]): Promise<readonly Link[]>
  /** Deletes by id and revision (undefined = any). Missing links are NOT_FOUND, changed ones PRECONDITION_FAILED. */
  delete(links: readonly { _id: string; _rev?: string | undefined }[]): Promise<void>
  /** Deletes all links of a type, whatever their qualifier; returns how many there were. */
  deleteType(linkType: string): Promise<number>
  read(id: string): Promise<Link | undefined>
  /** Filters and sort keys see the members of a link and nothing else, not their spellings either. */
  query(query: StoreQuery): Promise<StorePage<Link>>
}
