import type { Edit } from '../files/replace.ts'
import type { ChangedRow } from '../files/row-index.ts'
import { connectorError } from '../kit/errors.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { asObject, type Content, idOfContent, nameOfContent, textOfContent } from './content.ts'
import { changedContent, type Draft, Drafts, newContent, type PageFacts } from './drafts.ts'
import { changedObject, type Naming, newObject } from './render.ts'
import type { Snapshot } from './snapshot.ts'
import type { Shape } from './xsd.ts'

/**
 * The effect of a page of writes on a document: outcomes and byte edits. Decided on the objects alone, in order, so that a later
 * write of the page sees the earlier ones; only whether an id or a name is taken is judged at the end of the page, so that objects
 * can exchange them. Nothing here reads or writes the file.
 */
interface PlannedPage {
  readonly outcomes: readonly ConnectorWriteOutcome[]
  /** In the order of the file; empty if the page changes nothing. */
  readonly edits: readonly Edit[]
  /** What is known of the file once the edits are in it. */
  follow(): Omit<Snapshot, 'identity'> | undefined
}

export function planPage(
  writes: readonly ConnectorWrite[],
  facts: PageFacts,
  snapshot: Snapshot,
  naming: Naming,
  opensLine: boolean,
): PlannedPage {
  const refused = new Set<number>()
  for (;;) {
    const drafts = new Drafts(facts, refused)
    const outcomes = writes.map((write, place): ConnectorWriteOutcome => {
      try {
        const { id, content } = drafts.apply(write, place)
        return { ok: true, id, object: asObject(id, content, facts.state.shape) }
      } catch (error) {
        return { ok: false, error: connectorError(error) }
      }
    })
    // What is refused leaves its object as it was, so the page is another one: once more without it.
    const contested = drafts.contested()
    if (contested.length === 0)
      return { outcomes, ...render(drafts.changed(), facts, snapshot, naming, opensLine) }
    for (const place of contested) refused.add(place)
  }
}

/** Why the file could not hold what a write says; whether there is such an object, or one with that name, is not looked at. */
export function refusalOf(write: ConnectorWrite, shape: Shape, className: string): Error | undefined {
  if (write.operation === 'delete') return undefined
  try {
    if (write.operation === 'create') newContent(write, shape, className)
    else changedContent(new Map(), write.changes, shape, className)
    return undefined
  } catch (error) {
    return connectorError(error)
  }
}

interface Added {
  readonly content: Content
  readonly bytes: Buffer
}

function render(
  drafts: readonly Draft[],
  { state, className }: PageFacts,
  snapshot: Snapshot,
  naming: Naming,
  opensLine: boolean,
): Omit<PlannedPage, 'outcomes'> {
  const { root } = naming
  const edits: Edit[] = []
  const changed: ChangedRow[] = []
  const added: Added[] = []
  for (const { before, content } of drafts) {
    if (!before) {
      if (content) added.push({ content, bytes: newObject(className, content, naming) })
      continue
    }
    const { start, end } = before.object
    if (content) edits.push({ start, end, bytes: changedObject(before, content, root) })
    else edits.push({ start: start - before.lead, end, bytes: Buffer.alloc(0) })
    changed.push({
      uid: before.id,
      after: content && { uid: idIn(content, state.shape), text: textOfContent(content) },
    })
  }
  edits.sort((a, b) => a.start - b.start)
  const moved = edits.reduce((sum, { start, end, bytes }) => sum + bytes.length - (end - start), 0)
  const head = Buffer.from(root.isEmptyTag ? '>\n' : opensLine ? '\n' : '')
  const tail = Buffer.from(root.isEmptyTag ? `</${root.tag}>` : '')
  const lines = added.flatMap(({ bytes }) => [indent, bytes, lineFeed])
  const addition = Buffer.concat([head, ...lines, tail])
  const place = { start: root.closing, end: root.isEmptyTag ? root.end : root.closing }
  if (added.length > 0) edits.push({ ...place, bytes: addition })
  return {
    edits,
    follow() {
      // The root element has another form: the file is read anew.
      if (root.isEmptyTag) return undefined
      for (const [name, { index }] of snapshot.classes) index.follow(edits, name === className ? changed : [])
      let at = root.closing + moved + head.length
      for (const { content, bytes } of added) {
        const start = at + indent.length
        const range = { start, end: start + bytes.length, terminator: 0 }
        state.index.add(idIn(content, state.shape), { ...range, text: textOfContent(content) })
        at = range.end + lineFeed.length
      }
      followNames(state.names, drafts, state.shape)
      const shift = moved + (added.length > 0 ? addition.length : 0)
      const moves = { closing: root.closing + shift, end: root.end + shift }
      return { ...snapshot, root: { ...root, ...moves } }
    },
  }
}

const indent = Buffer.from('  ')
const lineFeed = Buffer.from('\n')

/** All old names go before new ones come: two objects may have exchanged theirs. */
function followNames(names: Map<string, string>, drafts: readonly Draft[], shape: Shape): void {
  for (const { before } of drafts) {
    const name = before && nameOfContent(before.content)
    if (name !== undefined) names.delete(name)
  }
  for (const { content } of drafts) {
    const name = content && nameOfContent(content)
    if (name !== undefined) names.set(name, idIn(content ?? new Map(), shape))
  }
}

function idIn(content: Content, shape: Shape): string {
  return idOfContent(content, shape) ?? ''
}
