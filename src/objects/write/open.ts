import { v7 as timeOrderedId } from 'uuid'
import { copy, equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Store, StoredObject } from '../../repository/repository.ts'
import { refuseForeignSecrets } from '../policies/foreign-secrets.ts'
import { withHiddenValues } from '../read/hidden-values.ts'
import { isUnchanged } from '../relationships/apply.ts'
import { withRequired } from '../relationships/view.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { isActivity } from './activity.ts'
import { isSynchronized } from './changes.ts'
import {
  type Draft,
  eachEntry,
  type ManagedWrite,
  refused,
  type Settled,
  type WriteContext,
} from './entry.ts'
import { failure } from './failure.ts'

type Write<Operation> = ManagedWrite & { readonly operation: Operation }

/**
 * The first stage: what is stored, what the content comes to with it, both in clear. A write that would change nothing ends
 * here, before anything is decrypted if what is stored is what is given. One read a page.
 */
export async function open(
  context: WriteContext,
  store: Store,
  page: readonly ManagedWrite[],
): Promise<readonly (Draft | Settled)[]> {
  const stored = await storedBefore(context, store, page)
  const { relations } = context.compiled
  const whole = relations ? await withRequired(store, relations, page) : page
  return eachEntry(
    whole.map((write) => ({ kind: 'write', write })),
    async ({ write }) => {
      switch (write.operation) {
        case 'create':
          return opened(context, write, write.id !== undefined && stored.has(write.id))
        case 'update':
          return changed(context, store, write, write.known ?? stored.get(write.id))
        case 'delete':
          return deleted(context, write, stored.get(write.id))
      }
    },
  )
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

async function opened(
  { compiled, request }: WriteContext,
  write: Write<'create'>,
  exists: boolean,
): Promise<Draft | Settled> {
  if (exists) return refused(failure(`${compiled.collection}/${write.id}`, 'exists'))
  if (request.external) refuseForeignSecrets(write.content, undefined)
  const { encryption } = compiled
  const given = encryption.encrypts ? await encryption.decrypt(write.content) : write.content
  const { _id: idInBody, _rev, ...content } = given
  // Ids in the order of creation are neighbours in every index: inserts are half as dear as with random ones.
  const id = idInBody ?? write.id ?? timeOrderedId()
  if (typeof id !== 'string' || id === '')
    throw new Problem('BAD_REQUEST', `${compiled.collection}: "_id" must be a text`)
  if (write.id !== undefined && write.id !== id)
    throw new Problem(
      'BAD_REQUEST',
      `${compiled.collection}: the path says "${write.id}", "_id" in the body says "${id}"`,
    )
  for (const [name, value] of compiled.defaults) if (content[name] === undefined) content[name] = copy(value)
  return { kind: 'create', id, content }
}

async function changed(
  { compiled, request }: WriteContext,
  store: Store,
  write: Write<'update'>,
  stored: StoredObject | undefined,
): Promise<Draft | Settled> {
  const stale = staleness(compiled, write, stored)
  if (stale || !stored) return refused(stale ?? failure(`${compiled.collection}/${write.id}`, 'missing'))
  if (request.external) refuseForeignSecrets(write.content, stored)
  const { encryption } = compiled
  const { _id, _rev, ...given } =
    request.external && !write.patched
      ? withHiddenValues(write.content, stored, encryption.private)
      : write.content
  const unchanged = (content: JsonObject, old: StoredObject) =>
    changesNothing(compiled, store, { write, content, old }, request.external)
  const { id, edits, patched } = write
  // Values in clear are compared, for what is encrypted anew looks different; but what is the same needs no key.
  const comparable = !encryption.encrypts || isSameText(given, stored)
  if (comparable && (await unchanged(given, stored))) return { kind: 'unchanged', object: stored }
  if (!encryption.encrypts) return { kind: 'update', id, content: given, stored, old: stored, edits, patched }
  const [old, content] = [await encryption.decrypt(stored), await encryption.decrypt(given)]
  if (!comparable && (await unchanged(content, old))) return { kind: 'unchanged', object: stored }
  return { kind: 'update', id, content, stored, old, edits, patched }
}

function isSameText(content: JsonObject, stored: StoredObject): boolean {
  return equal({ ...content, _id: stored._id, _rev: stored._rev }, stored)
}

function changesNothing(
  { relations, oneByOne }: CompiledType,
  store: Store,
  given: {
    readonly write: Write<'update'>
    readonly content: JsonObject
    readonly old: StoredObject
  },
  external: boolean,
): boolean | Promise<boolean> {
  const { write, content, old } = given
  if (!relations) return equal({ ...content, _id: old._id, _rev: old._rev }, old)
  // A page of them learns it when its relationships are written: they are read there anyway.
  if (!external && !oneByOne) return false
  const update = { operation: 'update', id: write.id, content } as const
  return isUnchanged(store, relations, { write: update, edits: write.edits, stored: old })
}

function deleted(
  { compiled }: WriteContext,
  write: Write<'delete'>,
  stored: StoredObject | undefined,
): Draft | Settled {
  const stale = looksAtDeleted(compiled) ? staleness(compiled, write, stored) : undefined
  return stale ? refused(stale) : { kind: 'delete', id: write.id, rev: write.rev, stored }
}

function staleness(
  { collection }: CompiledType,
  { id, rev }: Write<'update' | 'delete'>,
  stored: StoredObject | undefined,
): Problem | undefined {
  if (!stored) return failure(`${collection}/${id}`, 'missing')
  return rev !== undefined && rev !== stored._rev ? failure(`${collection}/${id}`, 'changed') : undefined
}
