import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { equal } from '../../model/equality.ts'
import type { Edit } from '../files/replace.ts'
import { ConnectorError, connectorError } from '../kit/errors.ts'
import type { ConnectorObject } from '../kit/query.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  settingOf,
} from '../kit/write.ts'
import { type Columns, change, objectMaker } from './columns.ts'
import { renderRow } from './fields.ts'
import type { ChangedRow, RowIndex, RowRange } from './row-index.ts'
import type { CsvSettings } from './settings.ts'
import { rowError, type Snapshot } from './snapshot.ts'

/**
 * The effect of a page of writes on a file: outcomes and byte edits. Decided on the rows alone, in order,
 * so that a later write of the page sees the earlier ones; nothing here reads or writes the file.
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

export interface PageFacts {
  readonly snapshot: Snapshot
  /** The rows that the page updates or deletes, by uid. */
  readonly rows: ReadonlyMap<string, readonly string[]>
  /** What the connector knew before it noticed a write by another program. */
  readonly known: RowIndex | undefined
}

/** A row while the page is applied; no `uid` before: new; no `fields` after: deleted. */
interface Draft {
  readonly uid: string | undefined
  readonly before: readonly string[] | undefined
  fields: readonly string[] | undefined
}

export function planPage(
  writes: readonly ConnectorWrite[],
  facts: PageFacts,
  settings: CsvSettings,
): PlannedPage {
  const drafts = new Drafts(facts, settings)
  const outcomes = writes.map((write): ConnectorWriteOutcome => {
    try {
      const object = drafts.apply(write)
      return { ok: true, id: object._id, object }
    } catch (error) {
      return { ok: false, error: connectorError(error) }
    }
  })
  return { outcomes, ...render(drafts.changed(), facts.snapshot, settings) }
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

function requireUid(changes: readonly AttributeChange[], { uid }: CsvSettings): void {
  const isEmptied = changes.some(
    (one) => one.attribute === uid && (one.kind !== 'set' || String(one.value ?? '').trim() === ''),
  )
  if (!isEmptied) return
  throw new ConnectorError('invalidValue', `${uid} is the id of the row; it cannot be empty`, {
    attribute: uid,
  })
}

/** The rows that the page has touched, under the uids they have at that moment. */
class Drafts {
  readonly #facts: PageFacts
  readonly #settings: CsvSettings
  readonly #asObject: (fields: readonly string[]) => ConnectorObject
  readonly #all = new Set<Draft>()
  readonly #byUid = new Map<string, Draft | undefined>()

  constructor(facts: PageFacts, settings: CsvSettings) {
    this.#facts = facts
    this.#settings = settings
    this.#asObject = objectMaker(facts.snapshot.columns, settings)
  }

  /** Returns the object after the write; of a deleted row, as it was. */
  apply(write: ConnectorWrite): ConnectorObject {
    const { columns } = this.#facts.snapshot
    if (write.operation === 'create') {
      const empty = columns.names.map(() => '')
      const fields = change(empty, settingOf(write.attributes), columns, this.#settings)
      const uid = fields[columns.uid] || write.id?.trim() || timeOrderedId()
      fields[columns.uid] = uid
      this.#requireEncodable(fields)
      this.#requireFree(uid)
      return this.#keep(uid, { uid: undefined, before: undefined, fields })
    }
    const draft = this.#existing(write.id)
    const present = draft.fields as readonly string[]
    if (write.operation === 'delete') {
      this.#all.add(draft)
      this.#byUid.set(write.id, undefined)
      draft.fields = undefined
      return this.#asObject(present)
    }
    requireUid(write.changes, this.#settings)
    const fields = change(present, write.changes, columns, this.#settings)
    this.#requireEncodable(fields)
    const uid = fields[columns.uid] ?? ''
    if (uid !== write.id) {
      this.#requireFree(uid)
      this.#byUid.set(write.id, undefined)
    }
    draft.fields = fields
    return this.#keep(uid, draft)
  }

  changed(): readonly Draft[] {
    return [...this.#all].filter(({ before, fields }) =>
      before && fields ? !equal([...before], [...fields]) : before !== fields,
    )
  }

  #existing(uid: string): Draft {
    const fault = this.#facts.snapshot.faults.get(uid)
    if (fault) throw rowError(fault.line, fault.fact, this.#settings.file)
    const draft = this.#byUid.has(uid) ? this.#byUid.get(uid) : this.#fromFile(uid)
    if (draft) return draft
    throw new ConnectorError('unknownId', `${this.#settings.file} has no row with the id "${uid}"`)
  }

  #keep(uid: string, draft: Draft): ConnectorObject {
    this.#all.add(draft)
    this.#byUid.set(uid, draft)
    return this.#asObject(draft.fields ?? [])
  }

  #requireEncodable(fields: readonly string[]): void {
    this.#settings.encoding.encode(fields.join(''))
  }

  #requireFree(uid: string): void {
    const { index, faults } = this.#facts.snapshot
    const taken = this.#byUid.has(uid)
      ? this.#byUid.get(uid) !== undefined
      : index.has(uid) || faults.has(uid)
    if (!taken) return
    throw new ConnectorError('alreadyExists', `${this.#settings.file} already has a row with the id "${uid}"`)
  }

  #fromFile(uid: string): Draft | undefined {
    const fields = this.#facts.rows.get(uid)
    if (!fields) return undefined
    const { known, snapshot } = this.#facts
    const then = known?.checksum(uid)
    if (then !== undefined && then !== snapshot.index.checksum(uid)) {
      throw new ConnectorError(
        'changed',
        `${this.#settings.file}: another program has changed the row with the id "${uid}" since it was read`,
      )
    }
    return { uid, before: fields, fields }
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
