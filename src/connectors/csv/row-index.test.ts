import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { completeListing } from '../../model/listing.ts'
import { runs } from '../../testing/runs.ts'
import type { Edit } from '../files/replace.ts'
import { RowIndex } from '../files/row-index.ts'
import type { ConnectorWrite } from '../kit/write.ts'
import { columnsOf, uidOf } from './columns.ts'
import { planPage } from './page.ts'
import { RowReader } from './row-reader.ts'
import { csvSettings } from './settings.ts'
import type { Snapshot } from './snapshot.ts'
import { type Expected, files, pages, performPage, writeOf } from './testing/arbitrary-pages.ts'

const settings = csvSettings({ csvFile: 'people.csv' }, '/')

describe('the index of the rows', () => {
  it('knows after any pages what a new reading of the file would find', () => {
    fc.assert(
      fc.property(files, pages, ({ content, rows }, someSteps) => {
        const expected: Expected = new Map(rows)
        let file = Buffer.from(content)
        let { snapshot } = read(file)
        for (const steps of someSteps) {
          const writes = steps.map((step) => writeOf(step, expected))
          performPage(writes, expected)
          ;({ file, snapshot } = written(file, snapshot, writes))
          expect(known(snapshot, expected)).toEqual(known(read(file).snapshot, expected))
        }
      }),
      runs(100),
    )
  })

  it('does not grow with the rows that have come and gone', () => {
    let file = Buffer.from('uid,a\nstays,x\n')
    let { snapshot } = read(file)
    const { index } = snapshot
    for (let round = 0; round < 20; round++) {
      const ids = Array.from({ length: 500 }, (_, n) => `${round}-${n}`)
      const come = ids.map((uid): ConnectorWrite => ({ operation: 'create', attributes: { uid } }))
      const go = ids.map((id): ConnectorWrite => ({ operation: 'delete', id }))
      ;({ file, snapshot } = written(file, snapshot, come))
      ;({ file, snapshot } = written(file, snapshot, go))
    }
    ;({ file, snapshot } = written(file, snapshot, [{ operation: 'create', attributes: { uid: 'last' } }]))
    expect(snapshot.index).toBe(index)
    expect(index.capacity).toBeLessThanOrEqual(4096)
    const expected = new Map([
      ['stays', 'x'],
      ['last', ''],
    ])
    expect(known(snapshot, expected)).toEqual(known(read(file).snapshot, expected))
  })
})

/** What the file and the index become by a page, without a disk between. */
function written(file: Buffer, snapshot: Snapshot, writes: readonly ConnectorWrite[]) {
  const page = planPage(writes, { snapshot, rows: read(file).rows, known: snapshot.index }, settings)
  const after = edited(file, page.edits)
  page.follow()
  const identity = { ...snapshot.identity, size: BigInt(after.length) }
  return { file: after, snapshot: { ...snapshot, identity, endsOpen: page.endsOpen } }
}

function edited(file: Buffer, edits: readonly Edit[]): Buffer<ArrayBuffer> {
  const pieces: Buffer[] = []
  let from = 0
  for (const { start, end, bytes } of edits) {
    pieces.push(file.subarray(from, start), bytes)
    from = end
  }
  return Buffer.concat([...pieces, file.subarray(from)])
}

function read(file: Buffer): { readonly snapshot: Snapshot; readonly rows: Map<string, readonly string[]> } {
  const reader = new RowReader(settings.dialect, false, 0)
  const [header, ...others] = [...reader.push(file.toString(), false), ...reader.end()]
  const columns = columnsOf(header, settings)
  const index = new RowIndex()
  const rows = new Map<string, readonly string[]>()
  for (const row of others) {
    const uid = uidOf(row, columns) ?? ''
    expect(index.add(uid, row)).toBe(true)
    rows.set(uid, row.fields)
  }
  const identity = { dev: 0n, ino: 0n, size: BigInt(file.length), mtimeNs: 0n, ctimeNs: 0n }
  const whole = { faults: new Map(), listing: completeListing, byRow: false, broken: undefined }
  return {
    snapshot: { identity, columns, index, ...whole, endsOpen: !/[\r\n]$/.test(file.toString()) },
    rows,
  }
}

function known({ index, endsOpen }: Snapshot, rows: Expected) {
  const places = Array.from(rows.keys(), (id) => ({ id, ...index.range(id), checksum: index.checksum(id) }))
  return { size: index.size, endsOpen, places }
}
