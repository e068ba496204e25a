import type { Edit } from '../files/replace.ts'
import type { ChangedRow, RowRange } from '../files/row-index.ts'
import { connectorError } from '../kit/errors.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, settingOf } from '../kit/write.ts'
import { type Columns, change } from './columns.ts'
import { type Draft, Drafts, type PageFacts, requireUid } from './drafts.ts'
import { renderRow } from './fields.ts'
import type { CsvSettings } from './settings.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * The effect of a page of writes on a file: outcomes and byte edits. Decided on the rows alone, in order,
 * so that a later write of the page sees the earlier ones; only whether an id is taken is judged at the end of the page, so that
 * rows can exchange their ids. Nothing here reads or writes the file.
 */
interface PlannedPage {
  readonly outcomes: readonly ConnectorWriteOutcome[]
  /** In the order of the file; empty if the page changes nothing. */
  readonly edits: readonly Edit[]
  /** The file then ends without a line break. */
  readonly endsOpen: boolean
  /** Makes the index follow the edits, once they are in the file. */
  follow(): void
}

export function planPage(
  writes: readonly ConnectorWrite[],
  facts: PageFacts,
  settings: CsvSettings,
): PlannedPage {
  const refused = new Set<number>()
  for (;;) {
    const drafts = new Drafts(facts, settings, refused)
    const outcomes = writes.map((write, place): ConnectorWriteOutcome => {
      try {
        const object = drafts.apply(write, place)
        return { ok: true, id: object._id, object }
      } catch (error) {
        return { ok: false, error: connectorError(error) }
      }
    })
    // What is refused leaves its row as it was, so the page is another one: once more without it.
    const contested = drafts.contested()
    if (contested.length === 0) return { outcomes, ...render(drafts.changed(), facts.snapshot, settings) }
    for (const place of contested) refused.add(place)
  }
}

/** Why the file could not hold what a write says; whether there is such a row, or one with that id, is not looked at. */
export function refusalOf(write: ConnectorWrite, columns: Columns, settings: CsvSettings): Error | undefined {
  if (write.operation === 'delete') return undefined
  try {
    const changes = write.operation === 'create' ? settingOf(write.attributes) : write.changes
    if (write.operation === 'update') requireUid(changes, settings)
    const empty = columns.names.map(() => '')
    settings.encoding.encode(change(empty, changes, columns, settings).join(''))
    return undefined
  } catch (error) {
    return connectorError(error)
  }
}

function render(
  drafts: readonly Draft[],
  { index, columns, endsOpen, identity }: Snapshot,
  settings: CsvSettings,
): Omit<PlannedPage, 'outcomes'> {
  const { dialect, encoding, newline } = settings
  const size = Number(identity.size)
  const edits: Edit[] = []
  const changed: ChangedRow[] = []
  const added: { uid: string; text: string; bytes: Buffer }[] = []
  let opensLine = endsOpen
  for (const { uid, fields } of drafts) {
    const text = fields && renderRow(fields, dialect)
    const after = fields && text !== undefined ? { uid: fields[columns.uid] ?? '', text } : undefined
    if (uid === undefined) {
      if (after) added.push({ ...after, bytes: encoding.encode(after.text) })
      continue
    }
    const { start, end, terminator } = index.range(uid) as RowRange
    if (after) edits.push({ start, end, bytes: encoding.encode(after.text) })
    else edits.push({ start, end: end + terminator, bytes: Buffer.alloc(0) })
    if (!after && terminator === 0) opensLine = false
    changed.push({ uid, after })
  }
  edits.sort((a, b) => a.start - b.start)
  const lineBreak = encoding.encode(newline)
  const moved = edits.reduce((sum, { start, end, bytes }) => sum + bytes.length - (end - start), 0)
  const opening = opensLine && added.length > 0 ? [lineBreak] : []
  if (added.length > 0) {
    const bytes = Buffer.concat([...opening, ...added.flatMap((row) => [row.bytes, lineBreak])])
    edits.push({ start: size, end: size, bytes })
  }
  return {
    edits,
    endsOpen: opensLine && added.length === 0,
    follow() {
      index.follow(edits, changed)
      if (opening.length > 0) index.terminateLast(lineBreak.length)
      let start = size + moved + opening.length * lineBreak.length
      for (const { uid, text, bytes } of added) {
        const end = start + bytes.length
        index.add(uid, { start, end, terminator: lineBreak.length, text })
        start = end + lineBreak.length
      }
    },
  }
}
