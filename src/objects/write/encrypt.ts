import { equal } from '../../model/equality.ts'
import type { Draft, Ready, Settled, WriteContext } from './entry.ts'
import { runHook } from './scripts.ts'

/** The last stage before the store: encryption and hashing, then `onStore` of the object, which sees what will be stored. */
export async function encrypt(context: WriteContext, draft: Draft): Promise<Ready | Settled> {
  const { compiled } = context
  const { kind, id } = draft
  if (kind === 'delete') {
    const write = { operation: kind, id, rev: draft.rev } as const
    return { kind: 'ready', write, before: draft.stored, edits: undefined, patched: false }
  }
  const stored = kind === 'update' ? draft.stored : undefined
  const encrypted = await compiled.encryption.encrypt(draft.content, stored)
  const { object = encrypted } = await runHook(context, 'onStore', id, { object: encrypted })
  const { _id, _rev, ...content } = object
  if (kind === 'create')
    return {
      kind: 'ready',
      write: { operation: kind, id, content },
      ...{ before: undefined, edits: undefined, patched: false },
    }
  const { stored: before, edits, patched } = draft
  // Scripts may have taken the change back; with relationships that is told when they are written.
  if (
    compiled.oneByOne &&
    !compiled.relations &&
    equal({ ...content, _id: before._id, _rev: before._rev }, before)
  )
    return { kind: 'unchanged', object: before }
  const write = { operation: kind, id, rev: before._rev, content } as const
  return { kind: 'ready', write, before, edits, patched: patched !== undefined }
}
