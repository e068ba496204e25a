import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { equal } from '../../model/equality.ts'
import type { RowIndex } from '../files/row-index.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorObject } from '../kit/query.ts'
import { type AttributeChange, type ConnectorWrite, settingOf } from '../kit/write.ts'
import { change, objectMaker } from './columns.ts'
import type { CsvSettings } from './settings.ts'
import { rowError, type Snapshot } from './snapshot.ts'

export interface PageFacts {
  readonly snapshot: Snapshot
  /** The rows that the page updates or deletes, by uid. */
  readonly rows: ReadonlyMap<string, readonly string[]>
  /** What the connector knew before it noticed a write by another program. */
  readonly known: RowIndex | undefined
}

/** A row while the page is applied; no `uid` before: new; no `fields` after: deleted. */
export interface Draft {
  readonly uid: string | undefined
  readonly before: readonly string[] | undefined
  fields: readonly string[] | undefined
  /** The last write that gave it an id, and the id that it had before; absent: it has the id of the file. */
  came?: Pick<Naming, 'place' | 'from'>
}

/** A write that gives a row an id. */
interface Naming {
  readonly from: string | undefined
  readonly uid: string
  readonly fields: readonly string[]
  readonly place: number
}

/**
 * The rows that a page has touched, under the uids they have at that moment. A row may take a uid that another one has: that one
 * may still give it up, and until then the uid names the one that has had it longer. Whoever shares its uid at the end of the page
 * is refused it.
 */
export class Drafts {
  readonly #facts: PageFacts
  readonly #settings: CsvSettings
  readonly #asObject: (fields: readonly string[]) => ConnectorObject
  readonly #refused: ReadonlySet<number>
  readonly #all = new Set<Draft>()
  /** Those that have a uid, the one that has had it longest first. */
  readonly #holders = new Map<string, Draft[]>()

  /** `refused`: the places of writes that are known to want a uid that stays with another row. */
  constructor(facts: PageFacts, settings: CsvSettings, refused: ReadonlySet<number>) {
    this.#facts = facts
    this.#settings = settings
    this.#refused = refused
    this.#asObject = objectMaker(facts.snapshot.columns, settings)
  }

  /** Returns the object after the write; of a deleted row, as it was. `place`: of the write in its page. */
  apply(write: ConnectorWrite, place: number): ConnectorObject {
    const { columns } = this.#facts.snapshot
    if (write.operation === 'create') {
      const empty = columns.names.map(() => '')
      const fields = change(empty, settingOf(write.attributes), columns, this.#settings)
      const uid = fields[columns.uid] || write.id?.trim() || timeOrderedId()
      fields[columns.uid] = uid
      this.#requireEncodable(fields)
      const draft = { uid: undefined, before: undefined, fields: undefined }
      return this.#name(draft, { from: undefined, uid, fields, place })
    }
    const draft = this.#existing(write.id)
    const present = draft.fields ?? []
    if (write.operation === 'delete') {
      this.#leave(write.id, draft)
      this.#all.add(draft)
      draft.fields = undefined
      return this.#asObject(present)
    }
    requireUid(write.changes, this.#settings)
    const fields = change(present, write.changes, columns, this.#settings)
    this.#requireEncodable(fields)
    const uid = fields[columns.uid] ?? ''
    if (uid !== write.id) return this.#name(draft, { from: write.id, uid, fields, place })
    draft.fields = fields
    this.#all.add(draft)
    return this.#asObject(fields)
  }

  changed(): readonly Draft[] {
    return [...this.#all].filter(({ before, fields }) =>
      before && fields ? !equal([...before], [...fields]) : before !== fields,
    )
  }

  /** The places of the writes that gave rows a uid that another row has had longer. What such rows have to keep, the next try shows. */
  contested(): readonly number[] {
    const places = [...this.#holders.values()].flatMap(([, ...others]) =>
      others.map(({ came }) => came?.place),
    )
    return places.filter((place) => place !== undefined)
  }

  #existing(uid: string): Draft {
    const { snapshot, known } = this.#facts
    const fault = snapshot.faults.get(uid)
    if (fault) throw rowError(fault.line, fault.fact, this.#settings.file)
    const [draft] = this.#held(uid)
    if (!draft)
      throw new ConnectorError('unknownId', `${this.#settings.file} has no row with the id "${uid}"`)
    const then = draft.uid === uid ? known?.checksum(uid) : undefined
    if (then !== undefined && then !== snapshot.index.checksum(uid)) {
      throw new ConnectorError(
        'changed',
        `${this.#settings.file}: another program has changed the row with the id "${uid}" since it was read`,
      )
    }
    return draft
  }

  #held(uid: string): Draft[] {
    const held = this.#holders.get(uid)
    if (held) return held
    const before = this.#facts.rows.get(uid)
    const holders: Draft[] = before ? [{ uid, before, fields: before }] : []
    this.#holders.set(uid, holders)
    return holders
  }

  #name(draft: Draft, { from, uid, fields, place }: Naming): ConnectorObject {
    const { index, faults } = this.#facts.snapshot
    const holders = this.#held(uid)
    // A row that no write of the page names keeps its uid.
    const stays = faults.has(uid) || (index.has(uid) && !this.#facts.rows.has(uid))
    if (stays || this.#refused.has(place)) {
      const fact = `${this.#settings.file} already has a row with the id "${uid}"`
      throw new ConnectorError('alreadyExists', fact)
    }
    if (from !== undefined) this.#leave(from, draft)
    holders.push(draft)
    draft.came = { place, from }
    draft.fields = fields
    this.#all.add(draft)
    return this.#asObject(fields)
  }

  #leave(uid: string, draft: Draft): void {
    const held = this.#held(uid)
    held.splice(held.indexOf(draft), 1)
  }

  #requireEncodable(fields: readonly string[]): void {
    this.#settings.encoding.encode(fields.join(''))
  }
}

export function requireUid(changes: readonly AttributeChange[], { uid }: CsvSettings): void {
  const isEmptied = changes.some(
    (one) => one.attribute === uid && (one.kind !== 'set' || String(one.value ?? '').trim() === ''),
  )
  if (!isEmptied) return
  throw new ConnectorError('invalidValue', `${uid} is the id of the row; it cannot be empty`, {
    attribute: uid,
  })
}
