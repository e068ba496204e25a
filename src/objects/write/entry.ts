import type { JsonObject } from '../../model/json.ts'
import type { ObjectWrite, StoredObject } from '../../repository/repository.ts'
import type { ObjectWriteRequest, RequestContext } from '../../router/resources.ts'
import type { Edits } from '../relationships/wanted.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import type { ObjectChange, OnChange } from './changes.ts'

/**
 * One write on its way through the stages (pipeline.ts): `ManagedWrite → Draft → Ready`, then stored. A stage takes
 * one of these values and returns the next one; nothing is filled in later.
 */
export type ManagedWrite = ObjectWriteRequest & {
  /** The top-level properties that a patch names: only those are validated. */
  readonly patched?: ReadonlySet<string> | undefined
  /** Changes of relationships that the content does not spell out. */
  readonly edits?: Edits | undefined
  /** An update's object as its caller has read it, which is not read again; refused if it has changed since. */
  readonly known?: StoredObject | undefined
}

export type WriteResult =
  | { readonly ok: true; readonly object: StoredObject }
  | { readonly ok: false; readonly error: Error }

export interface Outcome {
  readonly result: WriteResult
  /** Undefined where nothing changed. */
  readonly change: ObjectChange | undefined
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
}

/** No further stage concerns it. */
export type Settled =
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'unchanged'; readonly object: StoredObject }

/** Before encryption: contents are in clear, without `_id` and `_rev`. */
export type Draft =
  | { readonly kind: 'create'; readonly id: string; readonly content: JsonObject }
  | UpdateDraft
  | {
      readonly kind: 'delete'
      readonly id: string
      readonly rev: string | undefined
      /** Undefined where no stage needs it. */
      readonly stored: StoredObject | undefined
    }

export interface UpdateDraft {
  readonly kind: 'update'
  readonly id: string
  readonly content: JsonObject
  readonly stored: StoredObject
  /** What is stored, in clear. */
  readonly old: JsonObject
  readonly edits: Edits | undefined
  readonly patched: ReadonlySet<string> | undefined
}

/** As it goes into the store. */
export interface Ready {
  readonly kind: 'ready'
  readonly write: ObjectWrite
  readonly before: StoredObject | undefined
  readonly edits: Edits | undefined
  readonly patched: boolean
}

export function refused(error: Error): Settled {
  return { kind: 'refused', error }
}

/** The next stage of each entry that is not settled. What it throws refuses the entry, and no other. */
export async function eachEntry<From extends { readonly kind: string }, To>(
  entries: readonly (From | Settled)[],
  stage: (entry: From) => Promise<To | Settled> | To | Settled,
): Promise<readonly (To | Settled)[]> {
  const next: (To | Settled)[] = []
  for (const entry of entries) {
    if (isSettled(entry)) next.push(entry)
    else
      try {
        // Most stages have nothing to wait for, and a page has many entries.
        const result = stage(entry)
        next.push(result instanceof Promise ? await result : result)
      } catch (error) {
        next.push(refused(error instanceof Error ? error : new Error(String(error))))
      }
  }
  return next
}

function isSettled<Entry extends { readonly kind: string }>(entry: Entry | Settled): entry is Settled {
  return entry.kind === 'refused' || entry.kind === 'unchanged'
}
