import { readFile, writeFile } from 'node:fs/promises'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import { isUnreadable, requireReadable } from '../../../model/unreadable.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import type { ConnectorEntry, ConnectorObject } from '../../kit/query.ts'
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

/** Throws the error of an object that cannot be read. */
export async function objectsOf(connector: CsvConnector): Promise<readonly ConnectorObject[]> {
  return (await entriesOf(connector)).map(requireReadable)
}

/** Ids of objects, and messages of what cannot be read. */
export async function linesOf(connector: CsvConnector): Promise<readonly string[]> {
  return (await entriesOf(connector)).map((entry) =>
    isUnreadable(entry) ? `${entry._id}: ${entry.problem.message}` : entry._id,
  )
}

async function entriesOf(connector: CsvConnector): Promise<readonly ConnectorEntry[]> {
  return (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter: everything }))).flat()
}
