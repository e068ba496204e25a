import { allDrafts, type Entry, eachDraft, type ManagedWrite, type WriteContext } from './entry.ts'
import { open } from './open.ts'
import { runScripts } from './scripts.ts'
import { validate } from './validate.ts'

/** The stages before encryption: what is to be stored, in clear, or why it is refused. A dry run takes the same ones. */
export async function drafted(
  context: WriteContext,
  page: readonly ManagedWrite[],
): Promise<readonly Entry[]> {
  const opened = await open(context, page)
  const valid = await eachDraft(opened, (draft) => validate(context, draft))
  // At the same time: their scripts cross into the sandbox together.
  return context.compiled.prepares ? allDrafts(valid, (draft) => runScripts(context, draft)) : valid
}
