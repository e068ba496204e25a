import { setTimeout } from 'node:timers/promises'
import { isEncrypted } from '../config/live/reconfiguration.ts'
import { keyFreshness } from '../config/master-key.ts'
import type { RotatingSecrets } from '../config/secrets.ts'
import { type From, pages } from '../kit/cookies.ts'
import { equal } from '../model/equality.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { ObjectWrite } from '../repository/objects.ts'
import type { Repository } from '../repository/repository.ts'

export interface KeyRotation {
  /** How many were encrypted again. */
  readonly configuration: number
  readonly objects: number
  readonly queue: number
}

export interface KeyRotationOptions {
  readonly secrets: RotatingSecrets
  readonly forgetOld: boolean
  readonly repository: Repository
  readonly documents: readonly { readonly id: string; readonly raw: JsonObject | undefined }[]
  /** Replaces a document by the result of `edit`. */
  readonly change: (id: string, edit: (raw: JsonObject) => Promise<JsonObject>) => Promise<void>
}

/**
 * Makes a new key and encrypts everything again that is not encrypted under it: configuration, objects, queued changes,
 * dead letters. It can be interrupted and repeated; the rest can still be decrypted with the old key, unless `forgetOld`
 * drops that. None of it is synchronized as a change.
 */
export async function rotateKey(options: KeyRotationOptions): Promise<KeyRotation> {
  const { secrets, forgetOld, repository } = options
  await secrets.rotate()
  // A running server checks for a new key only from time to time: the key that it uses until then must be kept.
  if (forgetOld) await setTimeout(2 * keyFreshness)
  let objects = 0
  for (const collection of await repository.objects.collections())
    objects += await resealCollection(options, collection)
  const configuration = await resealDocuments(options)
  const queue = await resealQueue(options)
  if (forgetOld) await secrets.forgetOld()
  return { configuration, objects, queue }
}

const pageSize = 500

async function resealDocuments({ documents, secrets, change }: KeyRotationOptions): Promise<number> {
  let count = 0
  for (const { id, raw } of documents) {
    if (!raw) continue
    // What another server has encrypted in a file that is not read here stays as it is.
    const again = await secrets.resealed(raw).catch((error: unknown) => {
      if (isEncrypted(id)) throw error
      return raw
    })
    if (again === raw) continue
    await change(id, (present) => secrets.resealed(present))
    count++
  }
  return count
}

async function resealCollection(
  { repository: { objects }, secrets }: KeyRotationOptions,
  collection: string,
): Promise<number> {
  let count = 0
  for await (const ids of objects.ids(collection, pageSize)) {
    let waiting: readonly string[] = ids
    // If another writer changes the object meanwhile, it is read again.
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === 10)
        throw new Problem('CONFLICT', `${collection}: ${waiting[0]} is being written again and again`)
      const writes: (ObjectWrite & { operation: 'update' })[] = []
      for (const [id, object] of await objects.read(collection, waiting)) {
        const { _id, _rev, ...content } = object
        const again = await secrets.resealed<JsonObject>(content)
        if (!equal(again, content)) writes.push({ operation: 'update', id, rev: _rev, content: again })
      }
      const outcomes = await objects.write(collection, writes)
      waiting = outcomes.flatMap((outcome, place) =>
        !outcome.ok && outcome.reason === 'changed' ? [writes[place]?.id as string] : [],
      )
      count += writes.length - waiting.length
    }
  }
  return count
}

async function resealQueue({ repository, secrets }: KeyRotationOptions): Promise<number> {
  const filter = { kind: 'literal', value: true } as const
  let count = 0
  const fetch = (from: From) => repository.syncQueue.query({ filter, pageSize, ...from })
  for await (const page of pages(fetch))
    for (const { _id } of page.result) {
      // In one transaction, so that the event is not processed meanwhile.
      const isResealed = await repository.transaction(async ({ syncQueue }) => {
        const event = await syncQueue.read(String(_id))
        if (!event) return false
        const content = await secrets.resealed(event.content)
        if (content === event.content) return false
        await syncQueue.update([{ ...event, content }])
        return true
      })
      if (isResealed) count++
    }
  return count
}
