import fc from 'fast-check'
import { type ConnectorWrite, settingOf } from '../../kit/write.ts'

/**
 * Files and pages of writes for property tests, and a plain map with the expected result: id → value, in the
 * order of the file. Few ids, so that writes collide; values of many lengths, so that rows move.
 */
export type Expected = Map<string, string>

export type Step =
  | { readonly kind: 'create' | 'update'; readonly id: string; readonly value: string }
  | { readonly kind: 'rename'; readonly id: string; readonly to: string }
  | { readonly kind: 'delete'; readonly id: string }
  | { readonly kind: 'deleteLast' }

const ids = ['a', 'bb', 'ccc', 'é', 'eve "the" fifth', 'f,f', 'a-long-id-of-a-row-that-is-long', '漢字']
const id = fc.constantFrom(...ids)
const value = fc
  .oneof(
    fc.constantFrom('', 'x', 'Zoë', 'a "quoted" one', 'two\nlines', 'x,y'),
    fc.nat(60).map((n) => '😀x'.repeat(n)),
  )
  .map((text) => text.trim())

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('create' as const), id, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('update' as const), id, value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename' as const), id, to: id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deleteLast' as const) }) },
)

/** Mostly single writes, as REST sends them, and some longer pages. */
export const pages = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.tuple(step) },
    { weight: 1, arbitrary: fc.array(step, { minLength: 2, maxLength: 12 }) },
  ),
  { minLength: 1, maxLength: 16 },
)

/** A file as other programs write it: quoted or not, any line breaks, empty lines, perhaps no line break at its end. */
export const files = fc
  .record({
    rows: fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'bb', 'ccc', 'é', '漢字'), fc.constantFrom('', 'x', 'Zoë')),
      {
        selector: ([one]) => one,
      },
    ),
    quote: fc.constantFrom('', '"'),
    lineBreak: fc.constantFrom('\n', '\r\n', '\r', '\n\n'),
    ending: fc.boolean(),
  })
  .map(({ rows, quote, lineBreak, ending }) => {
    const lines = [['uid', 'a'], ...rows].map((cells) => cells.map((cell) => quote + cell + quote).join(','))
    return { content: lines.join(lineBreak) + (ending ? lineBreak : ''), rows: new Map(rows) }
  })

export function writeOf(step: Step, rows: Expected): ConnectorWrite {
  switch (step.kind) {
    case 'create':
      return { operation: 'create', attributes: { uid: step.id, a: step.value } }
    case 'update':
      return { operation: 'update', id: step.id, changes: settingOf({ a: step.value }) }
    case 'rename':
      return { operation: 'update', id: step.id, changes: settingOf({ uid: step.to }) }
    case 'delete':
      return { operation: 'delete', id: step.id }
    case 'deleteLast':
      return { operation: 'delete', id: [...rows.keys()].at(-1) ?? 'a' }
  }
}

interface Held {
  uid: string
  value: string
  /** The write that gave it this uid. */
  by: number
}

/**
 * The writes of a page, applied to the map as well; answers whether the connector must accept them. The rule in its plainest form:
 * do them in order, as if no uid were ever taken; if two rows end with one uid, refuse it to the one that came later, and begin
 * again without that write.
 */
export function performPage(writes: readonly ConnectorWrite[], rows: Expected): readonly boolean[] {
  const refused = new Set<number>()
  for (;;) {
    const held = Array.from(rows, ([uid, value]): Held => ({ uid, value, by: -1 }))
    const done = writes.map((write, place) => !refused.has(place) && performOne(write, place, held))
    const twice = held.filter((one) => held.some(({ uid, by }) => uid === one.uid && by < one.by))
    if (twice.length === 0) {
      rows.clear()
      for (const { uid, value } of held) rows.set(uid, value)
      return done
    }
    for (const { by } of twice) refused.add(by)
  }
}

function performOne(write: ConnectorWrite, place: number, held: Held[]): boolean {
  if (write.operation === 'create') {
    held.push({ uid: String(write.attributes.uid), value: String(write.attributes.a ?? ''), by: place })
    return true
  }
  const [row] = held.filter(({ uid }) => uid === write.id).sort((one, other) => one.by - other.by)
  if (!row) return false
  if (write.operation === 'delete') held.splice(held.indexOf(row), 1)
  for (const change of write.operation === 'update' ? write.changes : []) {
    const value = change.kind === 'set' ? String(change.value) : ''
    if (change.attribute === 'a') row.value = value
    else if (value !== row.uid) Object.assign(row, { uid: value, by: place })
  }
  return true
}

export const allIds: readonly string[] = ids
