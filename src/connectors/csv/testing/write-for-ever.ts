import { dirname } from 'node:path'
import { standaloneHost } from '../../kit/host.ts'
import { settingOf } from '../../kit/write.ts'
import { csvKind } from '../kind.ts'

/**
 * Run as a separate process, to be killed: adds pages of 50 rows to the CSV file that is its argument, and changes
 * the stamp of the first row with each, so that both ways of writing are in use. Reports when it has begun.
 */
const [file = '', begin = '0'] = process.argv.slice(2)
const connector = csvKind.create({ csvFile: file }, standaloneHost({ projectFolder: dirname(file) }))
for (let page = Number(begin); ; page++) {
  const rows = Array.from({ length: 50 }, (_, n) => ({
    operation: 'create' as const,
    attributes: { uid: `${page}-${n}`, a: 'x'.repeat(200) },
  }))
  const stamp = { operation: 'update' as const, id: 'stamp', changes: settingOf({ a: `${page}` }) }
  await connector.writeMany?.('__ACCOUNT__', page % 2 ? [stamp, ...rows] : rows)
  process.stdout.write('.')
}
