import { isUnreadable, parted } from '../../model/unreadable.ts'
import { ConnectorError, connectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { type Attributes, attribute, setAttribute, type Value } from '../kit/values.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  changed,
  settingOf,
} from '../kit/write.ts'

/** An object while the page is applied. */
interface Held {
  object: ConnectorObject
  /** The write that gave it its id; -1: it has the id that it had. */
  by: number
}

export interface RehearsedSystem {
  /** The id of an object with these attributes. */
  idOf(attributes: Attributes, id: string | undefined): string
  /** A value as it is read after it was set. */
  held(name: string, value: Value, present?: Value): Value
}

export interface RehearsedPage {
  readonly outcomes: readonly ConnectorWriteOutcome[]
  /** What there is of the objects that the page changed, by id; null: nothing any more. */
  readonly after: ReadonlyMap<string, ConnectorObject | null>
  /** The ids that its writes gave. */
  readonly given: readonly string[]
}

/**
 * What a page of writes makes of the objects that are there, without a system: they are done in order, as if no id were ever taken. If
 * two objects end with one id, it is refused to the one that came later, and all begins again without that write.
 */
export function rehearsePage(
  writes: readonly ConnectorWrite[],
  refusals: readonly (Error | undefined)[],
  present: ReadonlyMap<string, ConnectorEntry>,
  system: RehearsedSystem,
): RehearsedPage {
  const refused = new Map<number, Error>()
  for (const [place, write] of writes.entries()) {
    const entry = write.operation === 'create' ? undefined : present.get(write.id)
    const error = refusals[place] ?? (isUnreadable(entry) ? entry.problem : undefined)
    if (error) refused.set(place, error)
  }
  for (;;) {
    const held = [...present.values()].map((entry): Held => ({ object: readable(entry), by: -1 }))
    const outcomes = writes.map((write, place): ConnectorWriteOutcome => {
      const error = refused.get(place)
      if (error) return { ok: false, error }
      try {
        return perform(write, place, held, system)
      } catch (thrown) {
        return { ok: false, error: connectorError(thrown) }
      }
    })
    const late = contested(held)
    if (late.length === 0) return { outcomes, ...after(held, present) }
    for (const { by, object } of late)
      refused.set(by, new ConnectorError('alreadyExists', `There is an object "${object._id}" already`))
  }
}

/** What cannot be read keeps its id; to write it fails before this. */
function readable(entry: ConnectorEntry): ConnectorObject {
  return parted(entry).object ?? { _id: entry._id }
}

function perform(
  write: ConnectorWrite,
  place: number,
  held: Held[],
  system: RehearsedSystem,
): ConnectorWriteOutcome {
  if (write.operation === 'create') {
    const object = withChanges({ _id: write.id ?? '' }, settingOf(write.attributes), system, write.id)
    held.push({ object, by: place })
    return { ok: true, id: object._id, object }
  }
  // Until it gives it up, an id names the one that has had it longest.
  const [own] = held
    .filter(({ object }) => object._id === write.id)
    .toSorted((one, other) => one.by - other.by)
  if (!own) throw new ConnectorError('unknownId', `There is no object "${write.id}"`)
  if (write.operation === 'delete') {
    held.splice(held.indexOf(own), 1)
    return { ok: true, id: write.id }
  }
  own.object = withChanges(own.object, write.changes, system)
  if (own.object._id !== write.id) own.by = place
  return { ok: true, id: own.object._id, object: own.object }
}

function withChanges(
  object: ConnectorObject,
  changes: readonly AttributeChange[],
  system: RehearsedSystem,
  id: string | undefined = object._id,
): ConnectorObject {
  const done = changed(object, changes)
  for (const { attribute: name } of changes) {
    const value = attribute(done, name)
    const held = value === undefined ? null : system.held(name, value, attribute(object, name))
    if (held === null) delete done[name]
    else setAttribute(done, name, held)
  }
  const { _id, ...attributes } = done
  return { ...done, _id: system.idOf(attributes, id) }
}

/** Those that came to an id that another one has had longer. */
function contested(held: readonly Held[]): readonly Held[] {
  const first = new Map<string, Held>()
  const late: Held[] = []
  for (const one of held.toSorted((a, b) => a.by - b.by)) {
    const { _id } = one.object
    if (first.has(_id)) late.push(one)
    else first.set(_id, one)
  }
  return late
}

function after(
  held: readonly Held[],
  present: ReadonlyMap<string, ConnectorEntry>,
): Pick<RehearsedPage, 'after' | 'given'> {
  const now = new Map<string, ConnectorObject | null>()
  for (const id of present.keys()) now.set(id, null)
  const given: string[] = []
  for (const { object, by } of held) {
    now.set(object._id, object)
    if (by >= 0) given.push(object._id)
  }
  // What nobody touched is as it was, and so is what cannot be read.
  for (const [id, entry] of present) if (now.get(id) === entry || isUnreadable(entry)) now.delete(id)
  return { after: now, given }
}
