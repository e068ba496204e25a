import type { JsonObject } from '../../../model/json.ts'
import type { IncompleteListing } from '../../../model/listing.ts'
import type { StoredObject } from '../../../repository/objects.ts'
import type { Repository } from '../../../repository/repository.ts'
import type { SyncToken } from '../../../router/resources.ts'

/** Where the states of liveSync are kept (engine §9). */
export const stages = 'repo/synchronisation/pooledSyncStage'

/** `system/hr/account` → `SYSTEMHRACCOUNT`. */
function stageId(source: string): string {
  return source.replaceAll('/', '').toUpperCase()
}

/** How far liveSync has come with one source. */
export interface Stage {
  readonly token: SyncToken | null
  /** The change that failed last, and how often. */
  readonly retry?:
    | { readonly uid: string; readonly token: SyncToken | null; readonly failures: number }
    | undefined
  /** Changes after this token that were given up, although earlier ones wait: they are not given up a second time. */
  readonly leftOut?: readonly string[] | undefined
  /** How many changes of the last call were left out, because their objects cannot be read. */
  readonly unreadable?: number | undefined
  /** What the last call has done. */
  readonly changes?: ChangeCounts | undefined
  /** All that changed in the system before this time has been carried on; ISO 8601. */
  readonly completeAsOf?: string | undefined
  /** Why the last call has compared everything. */
  readonly compared?: string | undefined
  /** Why the last call took nothing for deleted. */
  readonly listing?: IncompleteListing | undefined
  readonly lastException?: { readonly throwable: string; readonly syncDelta?: JsonObject } | undefined
}

export interface ChangeCounts {
  create: number
  update: number
  delete: number
  /** Of all of these. */
  failed: number
}

/** Undefined only if there is none: a state that cannot be read must not pass for a first call (engine §9, [D]). */
export async function readStage({ objects }: Repository, source: string): Promise<Stage | undefined> {
  const stored = (await objects.read(stages, [stageId(source)])).get(stageId(source))
  if (!stored) return undefined
  const { connectorData, retry, leftOut, lastException, completeAsOf } = stored as StoredStage
  return { token: connectorData?.syncToken ?? null, retry, leftOut, lastException, completeAsOf }
}

/** As `writeStage` stores it. */
interface StoredStage extends Pick<Stage, 'retry' | 'leftOut' | 'lastException' | 'completeAsOf'> {
  readonly connectorData?: { readonly syncToken?: SyncToken | null } | null
}

export async function writeStage(
  { objects }: Repository,
  source: string,
  stage: Stage,
): Promise<StoredObject> {
  const id = stageId(source)
  const exists = (await objects.read(stages, [id])).has(id)
  const {
    token,
    retry,
    leftOut = [],
    lastException,
    unreadable,
    listing,
    changes,
    completeAsOf,
    compared,
  } = stage
  const nativeType = typeof token === 'number' ? 'JAVA_TYPE_LONG' : 'JAVA_TYPE_STRING'
  const content: JsonObject = {
    connectorData: { nativeType, syncToken: token },
    ...(retry ? { retry: { ...retry } } : {}),
    ...(leftOut.length > 0 ? { leftOut: [...leftOut] } : {}),
    ...(completeAsOf !== undefined && { completeAsOf }),
    ...(compared !== undefined && { compared }),
    ...(unreadable ? { unreadable } : {}),
    ...(changes ? { changes: { ...changes } } : {}),
    ...(listing ? { listing: { ...listing } } : {}),
    ...(lastException ? { lastException: { ...lastException } } : {}),
  }
  const [outcome] = await objects.write(stages, [{ operation: exists ? 'update' : 'create', id, content }])
  if (!outcome?.ok) throw new Error(`the state of liveSync of ${source} could not be stored`)
  return outcome.object
}
