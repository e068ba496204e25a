import { BerWriter, Control } from 'ldapts'
import { Elements } from '../ber.ts'

/**
 * The messages of content synchronization (RFC 4533): what the server says of entries beside the entries themselves, in controls and
 * in intermediate messages.
 */
export const syncRequestControl = '1.3.6.1.4.1.4203.1.9.1.1'
const syncState = '1.3.6.1.4.1.4203.1.9.1.2'
const syncDone = '1.3.6.1.4.1.4203.1.9.1.3'
const syncInfo = '1.3.6.1.4.1.4203.1.9.1.4'

/** Asks for what has changed since a cookie, and for nothing that comes later (refreshOnly). */
export class SyncRequest extends Control {
  readonly #cookie: string

  constructor(cookie: string) {
    super(syncRequestControl, { critical: true })
    this.#cookie = cookie
  }

  override writeControl(writer: BerWriter): void {
    const value = new BerWriter()
    value.startSequence()
    value.writeEnumeration(1)
    value.writeString(this.#cookie)
    value.endSequence()
    writer.writeBuffer(value.buffer, octets)
  }
}

/** What a message says; undefined: nothing about the synchronization. */
export type SyncMessage =
  | { readonly kind: 'entry'; readonly id: string; readonly isDeleted: boolean }
  /** Ids of entries that were deleted, or that are as they were. */
  | { readonly kind: 'ids'; readonly ids: readonly string[]; readonly areDeleted: boolean }
  /** `tellsDeletions` false: who was not mentioned is gone. */
  | { readonly kind: 'done'; readonly cookie: string | undefined; readonly tellsDeletions: boolean }
  | { readonly kind: 'cookie'; readonly cookie: string }
  | undefined

export function syncMessageIn(message: Buffer): SyncMessage {
  const ber = new Elements(message, 0)
  const end = ber.enter(sequence, message.length)
  ber.integer(end)
  const operation = message[ber.at] ?? 0
  const content = new Elements(message, ber.at)
  const contentEnd = content.enter(operation, end)
  if (operation === intermediate) return informationIn(content, contentEnd)
  const controls = controlsIn(message, contentEnd, end)
  const state = controls.get(syncState)
  if (state) return stateIn(state)
  const done = controls.get(syncDone)
  return done && doneIn(done)
}

function controlsIn(message: Buffer, start: number, limit: number): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>()
  if (start >= limit) return found
  const list = new Elements(message, start)
  const end = list.enter(controls, limit)
  while (list.at < end) {
    const next = list.enter(sequence, end)
    const type = octetsIn(list, octets, next).toString()
    if (message[list.at] === boolean) list.at = list.enter(boolean, next)
    if (list.at < next) found.set(type, octetsIn(list, octets, next))
    list.at = next
  }
  return found
}

function stateIn(value: Buffer): SyncMessage {
  const ber = new Elements(value, 0)
  const end = ber.enter(sequence, value.length)
  ber.enter(enumeration, end)
  const state = value[ber.at++]
  return { kind: 'entry', id: uuidOf(octetsIn(ber, octets, end)), isDeleted: state === 3 }
}

function doneIn(value: Buffer): SyncMessage {
  const ber = new Elements(value, 0)
  const end = ber.enter(sequence, value.length)
  const cookie = value[ber.at] === octets && ber.at < end ? octetsIn(ber, octets, end).toString() : undefined
  return { kind: 'done', cookie, tellsDeletions: ber.at < end && booleanIn(ber, end) }
}

/** `syncInfoValue`: a choice. */
function informationIn(ber: Elements, limit: number): SyncMessage {
  const name = ber.bytes[ber.at] === responseName ? octetsIn(ber, responseName, limit).toString() : ''
  if (name !== syncInfo || ber.at >= limit) return undefined
  const value = octetsIn(ber, responseValue, limit)
  const choice = value[0] ?? 0
  const inner = new Elements(value, 0)
  if (choice === newCookie)
    return { kind: 'cookie', cookie: octetsIn(inner, newCookie, value.length).toString() }
  if (choice !== idSet) return undefined
  const end = inner.enter(idSet, value.length)
  if (value[inner.at] === octets) octetsIn(inner, octets, end)
  const areDeleted = value[inner.at] === boolean && booleanIn(inner, end)
  const setEnd = inner.enter(set, end)
  const ids: string[] = []
  while (inner.at < setEnd) ids.push(uuidOf(octetsIn(inner, octets, setEnd)))
  return { kind: 'ids', ids, areDeleted }
}

function octetsIn(ber: Elements, tag: number, limit: number): Buffer {
  const end = ber.enter(tag, limit)
  const found = ber.bytes.subarray(ber.at, end)
  ber.at = end
  return found
}

function booleanIn(ber: Elements, limit: number): boolean {
  ber.at = ber.enter(boolean, limit)
  return ber.bytes[ber.at - 1] !== 0
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const boolean = 0x01
const octets = 0x04
const enumeration = 0x0a
const sequence = 0x30
const set = 0x31
/** IntermediateResponse (RFC 4511, 4.13) and its members. */
const intermediate = 0x79
const responseName = 0x80
const responseValue = 0x81
const controls = 0xa0
const newCookie = 0x80
const idSet = 0xa3
