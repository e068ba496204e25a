import { equal } from '../../model/equality.ts'
import type { Draft, Ready, Settled, WriteContext } from './entry.ts'
import { runHook } from './scripts.ts'

/** The last stage before the store: encryption and hashing, then `onStore` of the object, which sees what will be stored. */
export function encrypt(context: WriteContext, draft: Draft): Ready | Settled | Promise<Ready | Settled> {
  return context.compiled.oneByOne && draft.kind !== 'delete' ? encrypted(context, draft) : ready(draft)
}

async function encrypted(
  context: WriteContext,
  draft: Exclude<Draft, { kind: 'delete' }>,
): Promise<Ready | Settled> {
  const { encryption, relations } = context.compiled
  const stored = draft.kind === 'update' ? draft.stored : undefined
  const kept = await encryption.encrypt(draft.content, stored)
  const { object = kept } = await runHook(context, 'onStore', draft.id, { object: kept })
  const { _id, _rev, ...content } = object
  // Scripts may have taken the change back; with relationships that is told when they are written.
  if (stored && !relations && equal({ ...content, _id: stored._id, _rev: stored._rev }, stored))
    return { kind: 'unchanged', object: stored }
  return ready({ ...draft, content })
}

function ready(draft: Draft): Ready {
  const { id } = draft
  const plain = { kind: 'ready', before: undefined, edits: undefined, patched: false } as const
  switch (draft.kind) {
    case 'create':
      return { ...plain, write: { operation: 'create', id, content: draft.content } }
    case 'delete':
      return { ...plain, write: { operation: 'delete', id, rev: draft.rev }, before: draft.stored }
    case 'update': {
      const { stored, content, edits, patched } = draft
      const write = { operation: 'update', id, rev: stored._rev, content } as const
      return { kind: 'ready', write, before: stored, edits, patched: patched !== undefined }
    }
  }
}
