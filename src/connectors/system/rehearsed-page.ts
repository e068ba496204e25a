import { requireReadable } from '../../model/unreadable.ts'
import { ConnectorError, connectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { type Attributes, setAttribute, type Value } from '../kit/values.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  changed,
  settingOf,
} from '../kit/write.ts'

/**
 * What a page of writes makes of the objects that it touches, without a system. A write names an object by its id before the page,
 * or by the one that the page has given to it, so two objects may exchange their ids.
 */
interface Draft {
  /** As it was before the page; undefined: it was not there. */
  readonly origin: ConnectorObject | undefined
  /** As it is after the page; undefined: gone. */
  object: ConnectorObject | undefined
  readonly places: number[]
}

interface Drafts {
  readonly all: ReadonlySet<Draft>
  /** Of every write: what it is about, or why it is refused. */
  readonly byPlace: readonly (Draft | Error)[]
}

export interface RehearsedSystem {
  /** The id of an object with these attributes. */
  idOf(attributes: Attributes, id: string | undefined): string
  /** A value as it is read after it was set. */
  held(name: string, value: Value): Value
}

export function draftsOf(
  writes: readonly ConnectorWrite[],
  refusals: readonly (Error | undefined)[],
  present: ReadonlyMap<string, ConnectorEntry>,
  system: RehearsedSystem,
): Drafts {
  const all = new Set<Draft>()
  const byId = new Map<string, Draft>()
  function take(draft: Draft, id: string | undefined): void {
    all.add(draft)
    if (id !== undefined && !byId.has(id)) byId.set(id, draft)
  }
  const byPlace = writes.map((write, place): Draft | Error => {
    const refusal = refusals[place]
    if (refusal) return refusal
    try {
      const draft = write.operation === 'create' ? created(write, system) : named(write.id, byId, present)
      take(draft, write.operation === 'create' ? draft.object?._id : write.id)
      draft.places.push(place)
      if (write.operation === 'delete') draft.object = undefined
      else if (write.operation === 'update' && draft.object)
        draft.object = withChanges(draft.object, write.changes, system)
      return draft
    } catch (error) {
      return connectorError(error)
    }
  })
  return { all, byPlace }
}

function created(
  { id, attributes }: Extract<ConnectorWrite, { operation: 'create' }>,
  system: RehearsedSystem,
): Draft {
  const object = withChanges({ _id: id ?? '' }, settingOf(attributes), system, id)
  return { origin: undefined, object, places: [] }
}

function named(
  id: string,
  drafts: ReadonlyMap<string, Draft>,
  present: ReadonlyMap<string, ConnectorEntry>,
): Draft {
  const known = drafts.get(id)
  if (known?.object) return known
  const entry = known ? undefined : present.get(id)
  if (!entry) throw new ConnectorError('unknownId', `There is no object "${id}"`)
  const object = requireReadable(entry)
  return { origin: object, object, places: [] }
}

function withChanges(
  object: ConnectorObject,
  changes: readonly AttributeChange[],
  system: RehearsedSystem,
  id: string | undefined = object._id,
): ConnectorObject {
  const after = changed(object, changes)
  for (const { attribute } of changes) {
    const value = Object.hasOwn(after, attribute) ? after[attribute] : undefined
    const held = value === undefined ? null : system.held(attribute, value)
    if (held === null) delete after[attribute]
    else setAttribute(after, attribute, held)
  }
  const { _id, ...attributes } = after
  return { ...after, _id: system.idOf(attributes, id) }
}

/**
 * The outcomes. Refused is who wants an id that somebody else has, also after the page. Who is refused stays as he was, so he may
 * stand in the way of others: these are looked for until there are none.
 */
export function settled(
  { all, byPlace }: Drafts,
  others: ReadonlySet<string>,
): { readonly outcomes: readonly ConnectorWriteOutcome[]; readonly kept: readonly Draft[] } {
  const refused = new Map<Draft, Error>()
  let found = true
  while (found) {
    found = false
    const holders = new Set(others)
    for (const { origin } of refused.keys()) if (origin) holders.add(origin._id)
    const rest = [...all].filter((draft) => !refused.has(draft))
    // Who keeps his id comes before who wants it.
    const stays = ({ origin, object }: Draft) => Number(origin?._id !== object?._id)
    for (const draft of rest.toSorted((one, other) => stays(one) - stays(other))) {
      const { object } = draft
      if (!object) continue
      if (holders.has(object._id)) {
        refused.set(draft, new ConnectorError('alreadyExists', `There is an object "${object._id}" already`))
        found = true
      } else holders.add(object._id)
    }
  }
  const outcomes = byPlace.map((draft): ConnectorWriteOutcome => {
    if (draft instanceof Error) return { ok: false, error: draft }
    const error = refused.get(draft)
    if (error) return { ok: false, error }
    const object = draft.object ?? draft.origin
    return { ok: true, id: object?._id ?? '', ...(draft.object && { object: draft.object }) }
  })
  return { outcomes, kept: [...all].filter((draft) => !refused.has(draft)) }
}
