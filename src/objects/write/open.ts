import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { copy, equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import { refuseForeignSecrets } from '../policies/foreign-secrets.ts'
import { withHiddenValues } from '../read/hidden-values.ts'
import { isUnchanged } from '../relationships/apply.ts'
import { withRequired } from '../relationships/view.ts'
import type { CompiledType } from '../type/compile.ts'
import { inStoredOrder } from '../type/unordered.ts'
import { failure, isSynchronized, staleness } from './changes.ts'
import { type Draft, type Entry, eachOf, type ManagedWrite, refused, type WriteContext } from './entry.ts'
import { isActivity } from './record.ts'

type Write<Operation> = ManagedWrite & { readonly operation: Operation }

/**
 * The first stage: what is stored, what the content comes to with it, both in clear. A write that would change nothing ends
 * here, before anything is decrypted if what is stored is what is given. One read a page.
 */
export async function open(context: WriteContext, page: readonly ManagedWrite[]): Promise<readonly Entry[]> {
  const stored = await storedBefore(context, page)
  const { relations } = context.compiled
  return eachOf(relations ? await withRequired(context.store, relations, page) : page, (write) => {
    switch (write.operation) {
      case 'create':
        return opened(context, write, write.id !== undefined && stored.has(write.id))
      case 'update':
        return changed(context, write, write.known ?? stored.get(write.id))
      case 'delete':
        return deleted(context.compiled, write, stored.get(write.id))
    }
  })
}

/** Of an update its caller may have read it; of a delete it is needed where a stage looks at it. */
async function storedBefore(
  context: WriteContext,
  page: readonly ManagedWrite[],
): Promise<ReadonlyMap<string, StoredObject>> {
  const { compiled, request, store } = context
  const isNeeded = (write: ManagedWrite) => {
    switch (write.operation) {
      case 'create':
        // PUT without a condition tries to create first: what is wrong with that says nothing about an update.
        return request.external
      case 'update':
        return write.known === undefined
      case 'delete':
        return looksAtDeleted(compiled) || isActivity(request) || isSynchronized(context, compiled.collection)
    }
  }
  const ids = page.flatMap((write) => (write.id !== undefined && isNeeded(write) ? [write.id] : []))
  return ids.length > 0 ? store.objects.read(compiled.collection, ids) : new Map()
}

function looksAtDeleted({ prepares, relations }: CompiledType): boolean {
  return prepares || relations !== undefined
}

function opened(
  { compiled, request }: WriteContext,
  { id, content }: Write<'create'>,
  exists: boolean,
): Entry | Promise<Entry> {
  const { collection, encryption } = compiled
  if (exists) return refused(failure(`${collection}/${id}`, 'exists'))
  if (request.external) refuseForeignSecrets(content, undefined)
  return encryption.encrypts
    ? encryption.decrypt(content).then((given) => created(compiled, id, given))
    : created(compiled, id, content)
}

function created(
  { collection, defaults }: CompiledType,
  idInPath: string | undefined,
  { _id: idInBody, _rev, ...content }: JsonObject,
): Draft {
  // Ids in the order of creation are adjacent in every index: inserts cost half as much as with random ids.
  const id = idInBody ?? idInPath ?? timeOrderedId()
  if (typeof id !== 'string' || id === '')
    throw new Problem('BAD_REQUEST', `${collection}: "_id" must be a text`)
  if (idInPath !== undefined && idInPath !== id)
    throw new Problem(
      'BAD_REQUEST',
      `${collection}: the path says "${idInPath}", "_id" in the body says "${id}"`,
    )
  for (const [name, value] of defaults) if (content[name] === undefined) content[name] = copy(value)
  return { write: { operation: 'create', id, content } }
}

function changed(
  context: WriteContext,
  { id, rev, content: given, edits, patched }: Write<'update'>,
  stored: StoredObject | undefined,
): Entry | Promise<Entry> {
  const { external } = context.request
  const { collection, encryption, relations, alone, unordered } = context.compiled
  const stale = staleness({ rev }, stored)
  if (stale || !stored) return refused(failure(`${collection}/${id}`, stale ?? 'missing'))
  if (external) refuseForeignSecrets(given, stored)
  const { _id, _rev, ...whole } =
    external && !patched ? withHiddenValues(given, stored, encryption.private) : given
  const content = inStoredOrder(whole, stored, unordered)
  const write = { operation: 'update', id, rev: stored._rev, content } as const
  const draft = { write, stored, old: stored, edits, patched }
  if (encryption.encrypts || (relations && (external || alone.update))) return compared(context, draft)
  // With relationships, a page of them learns it when they are written: they are read there anyway.
  return !relations && isSame(content, stored) ? { ok: true, object: stored } : draft
}

interface Update extends Draft {
  readonly write: ObjectWrite & { readonly operation: 'update' }
  readonly stored: StoredObject
  readonly old: StoredObject
}

/** Values in clear are compared, for what is encrypted anew looks different; but what is the same needs no key. */
async function compared(context: WriteContext, draft: Update): Promise<Entry> {
  const { encryption } = context.compiled
  const needsKey = encryption.encrypts && !isSame(draft.write.content, draft.stored)
  const update = needsKey ? await inClear(context, draft) : draft
  if (await changesNothing(context, update)) return { ok: true, object: draft.stored }
  return encryption.encrypts && !needsKey ? inClear(context, draft) : update
}

async function changesNothing({ compiled, store }: WriteContext, update: Update): Promise<boolean> {
  const { relations } = compiled
  if (!relations) return isSame(update.write.content, update.old)
  return isUnchanged({ store, relations }, { ...update, stored: update.old })
}

async function inClear({ compiled }: WriteContext, draft: Update): Promise<Update> {
  const { encryption, unordered } = compiled
  const old = await encryption.decrypt(draft.stored)
  const content = inStoredOrder(await encryption.decrypt(draft.write.content), old, unordered)
  return { ...draft, write: { ...draft.write, content }, old }
}

function isSame(content: JsonObject, { _id, _rev, ...stored }: StoredObject): boolean {
  return equal(content, stored)
}

function deleted(
  compiled: CompiledType,
  { id, rev }: Write<'delete'>,
  stored: StoredObject | undefined,
): Entry {
  const stale = looksAtDeleted(compiled) ? staleness({ rev }, stored) : undefined
  if (stale) return refused(failure(`${compiled.collection}/${id}`, stale))
  return { write: { operation: 'delete', id, rev }, stored }
}
