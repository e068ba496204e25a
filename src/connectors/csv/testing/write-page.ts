import { dirname } from 'node:path'
import { asProblem } from '../../../model/problem.ts'
import { standaloneHost } from '../../kit/host.ts'
import { settingOf } from '../../kit/write.ts'
import { csvKind } from '../kind.ts'

/** Run as a separate process: changes and adds rows of the CSV file that is its argument, and reports the outcome. */
const [file = ''] = process.argv.slice(2)
const connector = csvKind.create({ csvFile: file }, standaloneHost({ projectFolder: dirname(file) }))
try {
  await connector.writeMany?.('__ACCOUNT__', [
    { operation: 'update', id: '0', changes: settingOf({ a: 'changed' }) },
    ...Array.from({ length: 500 }, (_, n) => ({
      operation: 'create' as const,
      attributes: { uid: `new ${n}` },
    })),
  ])
  process.stdout.write('written\n')
} catch (error) {
  const { code, message } = asProblem(error)
  process.stdout.write(`${code} ${message}\n`)
}
