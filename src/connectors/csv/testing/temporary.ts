import { readFile, writeFile } from 'node:fs/promises'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import type { ConnectorObject } from '../../kit/query.ts'
import { CsvConnector } from '../csv-connector.ts'
import { csvSettings } from '../settings.ts'

/** A temporary folder with one CSV file, for tests. */
export interface TemporaryCsv extends AsyncDisposable {
  readonly folder: string
  readonly file: string
  text(): Promise<string>
  put(content: string | Uint8Array): Promise<void>
  connect(configuration?: JsonObject): CsvConnector
}

export async function temporaryCsv(content?: string | Uint8Array): Promise<TemporaryCsv> {
  const temporary = temporaryFolder()
  const folder = temporary.path
  const file = temporary.file('people.csv')
  if (content !== undefined) await writeFile(file, content)
  return {
    folder,
    file,
    text: () => readFile(file, 'utf8'),
    put: (text) => writeFile(file, text),
    connect: (configuration = {}) =>
      new CsvConnector(csvSettings({ csvFile: 'people.csv', ...configuration }, folder)),
    [Symbol.asyncDispose]: async () => temporary[Symbol.dispose](),
  }
}

export async function objectsOf(connector: CsvConnector): Promise<readonly ConnectorObject[]> {
  return (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter: everything }))).flat()
}
