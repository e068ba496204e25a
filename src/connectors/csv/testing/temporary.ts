import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { ConnectorObject } from '../../kit/connector.ts'
import { CsvConnector } from '../csv-connector.ts'
import { csvSettings } from '../settings.ts'

/** A folder of its own with one CSV file, for tests. */
export interface TemporaryCsv extends AsyncDisposable {
  readonly folder: string
  readonly file: string
  text(): Promise<string>
  put(content: string | Uint8Array): Promise<void>
  connect(configuration?: JsonObject): CsvConnector
}

export async function temporaryCsv(content?: string | Uint8Array): Promise<TemporaryCsv> {
  const folder = await mkdtemp(join(tmpdir(), 'syncline-csv-'))
  const file = join(folder, 'people.csv')
  if (content !== undefined) await writeFile(file, content)
  return {
    folder,
    file,
    text: () => readFile(file, 'utf8'),
    put: (text) => writeFile(file, text),
    connect: (configuration = {}) =>
      new CsvConnector(csvSettings({ csvFile: 'people.csv', ...configuration }, folder)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function objectsOf(connector: CsvConnector): Promise<readonly ConnectorObject[]> {
  return (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter: everything }))).flat()
}
