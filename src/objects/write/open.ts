import { v7 as timeOrderedId } from 'uuid'
import { copy, equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import type { Store } from '../../repository/repository.ts'
import { refuseForeignSecrets } from '../policies/foreign-secrets.ts'
import { withHiddenValues } from '../read/hidden-values.ts'
import { isUnchanged } from '../relationships/apply.ts'
import { withRequired } from '../relationships/view.ts'
import type { CompiledType } from '../type/compile.ts'
import { isSynchronized } from './changes.ts'
import { type Draft, type Entry, eachOf, type ManagedWrite, refused, type WriteContext } from './entry.ts'
import { failure, staleness } from './failure.ts'
import { isActivity } from './record.ts'

type Write<Operation> = ManagedWrite & { readonly operation: Operation }

/**
 * The first stage: what is stored, what the content comes to with it, both in clear. A write that would change nothing ends
 * here, before anything is decrypted if what is stored is what is given. One read a page.
 */
export async function open(
  context: WriteContext,
  store: Store,
  page: readonly ManagedWrite[],
): Promise<readonly Entry[]> {
  const stored = await storedBefore(context, store, page)
  const { relations } = context.compiled
  return eachOf(relations ? await withRequired(store, relations, page) : page, (write) => {
    switch (write.operation) {
      case 'create':
        return opened(context, write, write.id !== undefined && stored.has(write.id))
      case 'update':
        return changed(context, store, write, write.known ?? stored.get(write.id))
      case 'delete':
        return deleted(context.compiled, write, stored.get(write.id))
    }
  })
}

/** Of an update its caller may have read it; of a delete it is needed where a stage looks at it. */
async function storedBefore(
  { compiled, onChange, request }: WriteContext,
  store: Store,
  page: readonly ManagedWrite[],
): Promise<ReadonlyMap<string, StoredObject>> {
  const deletes =
    looksAtDeleted(compiled) || isActivity(request) || isSynchronized(onChange, compiled.collection, request)
  const isNeeded = (write: ManagedWrite) => {
    switch (write.operation) {
      case 'create':
        // PUT without a condition tries to create first: what is wrong with that says nothing about an update.
        return request.external
      case 'update':
        return write.known === undefined
      case 'delete':
        return deletes
    }
  }
  const ids = page.flatMap((write) => (write.id !== undefined && isNeeded(write) ? [write.id] : []))
  return ids.length > 0 ? store.objects.read(compiled.collection, ids) : new Map()
}

function looksAtDeleted({ oneByOne, relations }: CompiledType): boolean {
  return oneByOne || relations !== undefined
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
  { compiled, request: { external } }: WriteContext,
  store: Store,
  { id, rev, content: given, edits, patched }: Write<'update'>,
  stored: StoredObject | undefined,
): Entry | Promise<Entry> {
  const { collection, encryption, relations, oneByOne } = compiled
  const stale = staleness({ rev }, stored)
  if (stale || !stored) return refused(failure(`${collection}/${id}`, stale ?? 'missing'))
  if (external) refuseForeignSecrets(given, stored)
  const { _id, _rev, ...content } =
    external && !patched ? withHiddenValues(given, stored, encryption.private) : given
  const write = { operation: 'update', id, rev: stored._rev, content } as const
  const draft = { write, stored, old: stored, edits, patched }
  const unchanged = { ok: true, object: stored } as const
  if (encryption.encrypts) return decrypted(compiled, store, draft)
  if (!relations) return isSame(content, stored) ? unchanged : draft
  // A page of them learns it when its relationships are written: they are read there anyway.
  if (!external && !oneByOne) return draft
  return isUnchanged({ store, relations }, draft).then((nothing) => (nothing ? unchanged : draft))
}

/** Values in clear are compared, for what is encrypted anew looks different; but what is the same needs no key. */
async function decrypted(
  { encryption, relations }: CompiledType,
  store: Store,
  draft: Draft & {
    readonly write: ObjectWrite & { readonly operation: 'update' }
    readonly stored: StoredObject
  },
): Promise<Entry> {
  const { write, stored } = draft
  const unchanged = { ok: true, object: stored } as const
  const changesNothing = (content: JsonObject, old: StoredObject) =>
    relations
      ? isUnchanged({ store, relations }, { ...draft, write: { ...write, content }, stored: old })
      : isSame(content, old)
  const isSameText = isSame(write.content, stored)
  if (isSameText && (await changesNothing(write.content, stored))) return unchanged
  const [old, content] = [await encryption.decrypt(stored), await encryption.decrypt(write.content)]
  if (!isSameText && (await changesNothing(content, old))) return unchanged
  return { ...draft, write: { ...write, content }, old }
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
