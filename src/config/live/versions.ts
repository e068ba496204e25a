import { v7 as timeOrderedId } from 'uuid'
import { pages } from '../../kit/cookies.ts'
import type { JsonObject } from '../../model/json.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Repository, Store } from '../../repository/repository.ts'

/**
 * The versions of configuration files: one per change, with the text before and after, so that any of them can be put back as
 * it was. The store keeps them; the file itself is the truth. A version is PENDING from before its file is written until it is
 * certain that it was: for one that a dead process left, the file decides.
 */
export interface Version {
  readonly id: string
  /** e.g. `sync`, `provisioner.openicf/hr`. */
  readonly configId: string
  readonly operation: 'create' | 'update' | 'delete'
  /** FILE: the file was changed with an editor. */
  readonly origin: 'REST' | 'FILE'
  readonly state: 'PENDING' | 'DONE'
  /** ISO 8601. */
  readonly timestamp: string
  readonly userId: string
  readonly transactionId: string
  /** null: there was no such file. */
  readonly before: string | null
  readonly after: string | null
}

/** The collection of versions. */
export const versionCollection = 'config/history'

/** How many versions are kept per object. */
const kept = 100

export function newVersion(facts: Omit<Version, 'id' | 'timestamp' | 'operation'>): Version {
  const { before, after } = facts
  const operation = before === null ? 'create' : after === null ? 'delete' : 'update'
  return { id: timeOrderedId(), timestamp: new Date().toISOString(), operation, ...facts }
}

export async function addVersion(store: Store, { id, ...content }: Version): Promise<void> {
  await store.objects.write(versionCollection, [{ operation: 'create', id, content }])
}

export async function versionDone(store: Store, { id, ...content }: Version): Promise<void> {
  const done: JsonObject = { ...content, state: 'DONE' }
  await store.objects.write(versionCollection, [{ operation: 'update', id, content: done }])
}

export async function dropVersion(store: Store, { id }: Version): Promise<void> {
  await store.objects.write(versionCollection, [{ operation: 'delete', id }])
}

/** The newest one. */
export async function latestVersion(store: Store, configId: string): Promise<Version | undefined> {
  const [latest] = await newestFirst(store, configId, 1)
  return latest
}

export async function readVersion(store: Store, id: string): Promise<Version | undefined> {
  const stored = (await store.objects.read(versionCollection, [id])).get(id)
  return stored && asVersion(stored)
}

/** Ids of all objects that have versions, deleted ones included. */
export async function knownConfigIds({ objects }: Store): Promise<ReadonlySet<string>> {
  const known = new Set<string>()
  const query = { filter: { kind: 'literal', value: true }, pageSize: 50 } as const
  for await (const { result } of pages((from) => objects.query(versionCollection, { ...query, ...from })))
    for (const { configId } of result) known.add(String(configId))
  return known
}

export async function pendingVersions(store: Store): Promise<readonly Version[]> {
  const filter = { kind: 'compare', operator: 'eq', pointer: ['state'], value: 'PENDING' } as const
  return (await store.objects.query(versionCollection, { filter })).result.map(asVersion)
}

/** Drops the oldest versions beyond that number. */
export async function purgeVersions({ objects }: Repository, configId: string): Promise<void> {
  const surplus = (await newestFirst({ objects }, configId, kept + 50)).slice(kept)
  await objects.write(
    versionCollection,
    surplus.map(({ id }) => ({ operation: 'delete', id }) as const),
  )
}

async function newestFirst(
  { objects }: Pick<Store, 'objects'>,
  configId: string,
  pageSize: number,
): Promise<readonly Version[]> {
  const filter = { kind: 'compare', operator: 'eq', pointer: ['configId'], value: configId } as const
  const sortKeys = [{ pointer: ['_id'], descending: true }]
  return (await objects.query(versionCollection, { filter, sortKeys, pageSize })).result.map(asVersion)
}

/** Only this file writes the collection. */
function asVersion({ _id, _rev, ...content }: StoredObject): Version {
  return { id: _id, ...content } as unknown as Version
}
