import { parallel } from '../../kit/parallel.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, eachWrite } from '../kit/write.ts'
import { type Dn, keyOf } from './dn.ts'

/** How many requests of one connection wait for their answers: beyond that, servers hardly get faster. */
const inFlight = 8

/**
 * The writes of a page in their order. New entries that stand next to each other are sent before the first is answered (RFC 4511, section 3.1
 * allows it), but only where none lies below another: a server may do the second one first. `freeName`: the name of a new entry
 * that touches nothing else; undefined for a write that waits for those before it, and lets those behind it wait.
 */
export async function eachInFlight(
  writes: readonly ConnectorWrite[],
  freeName: (write: ConnectorWrite) => Dn | undefined,
  perform: (write: ConnectorWrite) => Promise<string>,
  signal?: AbortSignal,
): Promise<readonly ConnectorWriteOutcome[]> {
  const outcomes: ConnectorWriteOutcome[] = []
  for (const together of batches(writes, freeName)) {
    const done = await parallel(together, inFlight, (write) => eachWrite([write], perform, signal))
    outcomes.push(...done.flat())
  }
  return outcomes
}

export function batches(
  writes: readonly ConnectorWrite[],
  freeName: (write: ConnectorWrite) => Dn | undefined,
): readonly (readonly ConnectorWrite[])[] {
  const found: ConnectorWrite[][] = []
  // The names of the last batch, and of everything above them; undefined: nothing may be added to it.
  let last: { readonly names: Set<string>; readonly above: Set<string> } | undefined
  for (const write of writes) {
    const dn = freeName(write)
    const name = dn && keyOf(dn)
    const above = dn?.slice(1).map((_, place) => keyOf(dn.slice(place + 1))) ?? []
    const fits =
      last &&
      name !== undefined &&
      !last.names.has(name) &&
      !last.above.has(name) &&
      !above.some((one) => last?.names.has(one))
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
