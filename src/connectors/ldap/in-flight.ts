import { parallel } from '../../kit/parallel.ts'
import { type Attributes, type Value, valuesOf } from '../kit/values.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, eachWrite } from '../kit/write.ts'
import { nameAttribute } from './attributes.ts'
import { type Dn, keyOf, parseDn } from './dn.ts'

/** How many requests of one connection wait for their answers: beyond that, servers hardly get faster. */
const inFlight = 8

/** A new entry that touches nothing else: its name, and the entries that its values name, such as a manager. */
export interface NewEntry {
  readonly name: Dn
  readonly refersTo: readonly Dn[]
}

/**
 * The writes of a page in their order. New entries that stand next to each other are sent before the first is answered (RFC 4511, section 3.1
 * allows it), but only where none lies below another and none names one before it: a server may do the second one first, and refuse
 * it. `entryOf` is undefined for a write that waits for those before it, and lets those behind it wait.
 */
export async function eachInFlight(
  writes: readonly ConnectorWrite[],
  entryOf: (write: ConnectorWrite) => NewEntry | undefined,
  perform: (write: ConnectorWrite) => Promise<string>,
  signal?: AbortSignal,
): Promise<readonly ConnectorWriteOutcome[]> {
  const outcomes: ConnectorWriteOutcome[] = []
  for (const together of batches(writes, entryOf)) {
    const done = await parallel(together, inFlight, (write) => eachWrite([write], perform, signal))
    outcomes.push(...done.flat())
  }
  return outcomes
}

export function batches(
  writes: readonly ConnectorWrite[],
  entryOf: (write: ConnectorWrite) => NewEntry | undefined,
): readonly (readonly ConnectorWrite[])[] {
  const found: ConnectorWrite[][] = []
  // The names of the last batch, and of everything above them; undefined: nothing may be added to it.
  let last: { readonly names: Set<string>; readonly above: Set<string> } | undefined
  for (const write of writes) {
    const entry = entryOf(write)
    const name = entry && keyOf(entry.name)
    const above = entry?.name.slice(1).map((_, place) => keyOf(entry.name.slice(place + 1))) ?? []
    const needed = [...above, ...(entry?.refersTo.map(keyOf) ?? [])]
    const fits =
      last &&
      name !== undefined &&
      !last.names.has(name) &&
      !last.above.has(name) &&
      !needed.some((one) => last?.names.has(one))
    if (fits) found.at(-1)?.push(write)
    else {
      found.push([write])
      last = name === undefined ? undefined : { names: new Set(), above: new Set() }
    }
    if (last && name !== undefined) {
      last.names.add(name)
      for (const one of above) last.above.add(one)
    }
  }
  return found
}

/** Undefined if the attributes have no name. `isReference`: do values of this attribute name entries? */
export function newEntryOf(
  attributes: Attributes,
  isReference: (attribute: string) => boolean,
): NewEntry | undefined {
  const name = dnIn(attributes[nameAttribute])
  const references = Object.keys(attributes).filter((one) => one !== nameAttribute && isReference(one))
  const values = references.flatMap((one) => valuesOf(attributes[one] ?? null))
  return name && { name, refersTo: values.map(dnIn).filter((one) => one !== undefined) }
}

function dnIn(value: Value | undefined): Dn | undefined {
  return typeof value === 'string' ? parseDn(value) : undefined
}
