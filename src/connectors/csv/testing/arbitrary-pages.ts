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
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename' as const), id, to: id }) },
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

/** The write of a step, applied to the map as well; `ok` says whether the connector must accept it. */
export function perform(
  step: Step,
  rows: Expected,
): { readonly write: ConnectorWrite; readonly ok: boolean } {
  switch (step.kind) {
    case 'create': {
      const ok = !rows.has(step.id)
      if (ok) rows.set(step.id, step.value)
      return { write: { operation: 'create', attributes: { uid: step.id, a: step.value } }, ok }
    }
    case 'update': {
      const ok = rows.has(step.id)
      if (ok) rows.set(step.id, step.value)
      return { write: { operation: 'update', id: step.id, changes: settingOf({ a: step.value }) }, ok }
    }
    case 'rename': {
      const ok = rows.has(step.id) && (step.to === step.id || !rows.has(step.to))
      if (ok) rename(rows, step.id, step.to)
      return { write: { operation: 'update', id: step.id, changes: settingOf({ uid: step.to }) }, ok }
    }
    case 'delete':
      return { write: { operation: 'delete', id: step.id }, ok: rows.delete(step.id) }
    case 'deleteLast': {
      const last = [...rows.keys()].at(-1) ?? 'a'
      return { write: { operation: 'delete', id: last }, ok: rows.delete(last) }
    }
  }
}

/** The row stays where it is. */
function rename(rows: Expected, from: string, to: string): void {
  const renamed = Array.from(rows, ([id, value]) => [id === from ? to : id, value] as const)
  rows.clear()
  for (const [id, value] of renamed) rows.set(id, value)
}

export const allIds: readonly string[] = ids
