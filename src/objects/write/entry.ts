import type { JsonObject } from '../../model/json.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import type { ObjectWriteRequest, RequestContext } from '../../router/resources.ts'
import type { Edits, RelatedWrite } from '../relationships/wanted.ts'
import type { CompiledType } from '../type/compile.ts'
import type { ObjectChange, OnChange } from './changes.ts'

/**
 * One write on its way through the stages (pipeline.ts): `ManagedWrite → Draft`, which each stage shapes, then stored. A
 * stage takes one of these values and returns the next one; nothing is filled in later.
 */
export type ManagedWrite = ObjectWriteRequest & {
  /** The top-level properties that a patch names: only those are validated. */
  readonly patched?: ReadonlySet<string> | undefined
  /** Changes of relationships that the content does not spell out. */
  readonly edits?: Edits | undefined
  /** The object of an update as the caller has read it. It is not read again; if it has changed since, the write is refused. */
  readonly known?: StoredObject | undefined
}

/** Contents are without `_id` and `_rev`, and in clear until the stage of encryption. A delete has `stored` if a stage needs it. */
export interface Draft extends Omit<RelatedWrite, 'force'> {
  /** What is stored of an update, in clear. */
  readonly old?: JsonObject | undefined
  readonly patched?: ReadonlySet<string> | undefined
}

/** A draft, or the result of a write that no further stage concerns. */
export type Entry = Draft | WriteResult

export type WriteResult =
  | { readonly ok: true; readonly object: StoredObject }
  | { readonly ok: false; readonly error: Error }

export interface Outcome {
  readonly result: WriteResult
  /** Undefined where nothing changed. */
  readonly change: ObjectChange | undefined
  /** By a patch. */
  readonly patched?: boolean
}

/** What the store made of a page; the transaction may still be taken back. */
export interface WrittenPage {
  /** At the places of the writes. */
  readonly outcomes: readonly Outcome[]
  /** What happened to objects at the other ends of relationships. */
  readonly others: readonly ObjectChange[]
  /** Something depends on these objects from further away, which is noted. */
  readonly pendingRecomputations: boolean
  /** When access changes next by time alone, as far as it was noted here; ms since 1970. */
  readonly due: number | undefined
}

export function ownChanges({ outcomes }: WrittenPage): readonly ObjectChange[] {
  return outcomes.flatMap(({ change }) => change ?? [])
}

export type Apply = (
  writes: readonly ManagedWrite[],
  request: RequestContext,
) => Promise<readonly WriteResult[]>

/** What every stage knows besides the write. */
export interface WriteContext {
  readonly compiled: CompiledType
  readonly onChange: OnChange
  readonly request: RequestContext
  /** The transaction's; where scripts run before it and after it, the repository. */
  readonly store: Store
}

/** The next stage of each. What it throws refuses that one, and no other. */
export async function eachOf<One>(
  page: readonly One[],
  stage: (one: One) => Promise<Entry> | Entry,
): Promise<readonly Entry[]> {
  const next: Entry[] = []
  for (const one of page)
    try {
      // Most stages have nothing to wait for, and a page has many entries.
      const entry = stage(one)
      next.push(entry instanceof Promise ? await entry : entry)
    } catch (error) {
      next.push(refused(error instanceof Error ? error : new Error(String(error))))
    }
  return next
}

export function eachDraft(
  page: readonly Entry[],
  stage: (draft: Draft) => Promise<Entry> | Entry,
): Promise<readonly Entry[]> {
  return eachOf(page, (entry) => ('ok' in entry ? entry : stage(entry)))
}

/** The same for a stage that waits: all of the page at the same time. */
export function allDrafts(
  page: readonly Entry[],
  stage: (draft: Draft) => Promise<Entry>,
): Promise<readonly Entry[]> {
  return Promise.all(page.map(async (entry) => (await eachDraft([entry], stage))[0] ?? entry))
}

export function refused(error: Error): WriteResult {
  return { ok: false, error }
}
