import { expect, it } from 'vitest'
import { type DecodedRow, decodedRow } from './decoded-text.ts'

const lines: readonly (readonly [line: string, row: DecodedRow | undefined])[] = [
  ["table public.p: INSERT: id[text]:'a' n[integer]:5", { kind: 'written', key: 'a', before: undefined }],
  [
    "table public.p: INSERT: n[integer]:5 t[text]:'x: id[text]:''b''' id[text]:'a'",
    { kind: 'written', key: 'a', before: undefined },
  ],
  [
    "table public.p: UPDATE: id[text]:'it''s  ' x[text]:null",
    { kind: 'written', key: "it's  ", before: undefined },
  ],
  [
    "table public.p: UPDATE: old-key: id[text]:'a' new-tuple: id[text]:'b' n[int]:1",
    { kind: 'written', key: 'b', before: 'a' },
  ],
  [
    "table public.p: UPDATE: old-key: id[text]:'a' n[int]:0 new-tuple: id[text]:'a' n[int]:1",
    { kind: 'written', key: 'a', before: undefined },
  ],
  [
    "table public.p: UPDATE: tags[text[]]:'{a,\"b c\"}' big[text]:unchanged-toast-datum id[text]:'a\nb'",
    { kind: 'written', key: 'a\nb', before: undefined },
  ],
  [
    'table public.p: INSERT: "new-tuple: x"[integer]:1 id[bigint]:-7',
    { kind: 'written', key: '-7', before: undefined },
  ],
  [
    "table public.p: INSERT: flags[bit varying]:B'101' ok[boolean]:true id[text]:'a'",
    { kind: 'written', key: 'a', before: undefined },
  ],
  [`table "My""S"."a: INSERT: b": DELETE: id[text]:'a'`, { kind: 'deleted', key: 'a' }],
  ['table public.p: DELETE: (no-tuple-data)', undefined],
  ['table public.p: INSERT: id[text]:null n[integer]:1', undefined],
  ['table public.p, public.q: TRUNCATE: restart_seqs cascade', { kind: 'truncated' }],
]

it.each(lines)('finds the row that %s tells of', (line, row) => {
  expect(decodedRow(line, 'id')).toEqual(row)
})

it('finds a key column of any name', () => {
  expect(decodedRow(`table public.p: INSERT: "a ""b[]: c"[text]:'x'`, 'a "b[]: c')).toMatchObject({
    key: 'x',
  })
})
