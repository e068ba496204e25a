/** A CSV file as a target outside, for tests: who takes whose id in it. */

import { csvKind } from '../../connectors/csv/kind.ts'
import { temporaryCsv } from '../../connectors/csv/testing/temporary.ts'
import { openSystem } from '../../connectors/system/open-system.ts'
import { systemProvider } from '../../connectors/system/system.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { ObjectSet, ResourceProvider } from '../../router/resources.ts'

export const accounts = 'system/directory/account'

const text = { type: 'string' }

/** `uid` is the id of an account, `home` stays with it whatever its id. */
export async function openDirectory(rows: readonly (readonly [uid: string, mail: string, home: string])[]) {
  const csv = await temporaryCsv(`uid,mail,home\n${rows.map((row) => `${row.join(',')}\n`).join('')}`)
  const environment = { kinds: [csvKind], projectFolder: csv.folder, decrypt: async (value: Json) => value }
  const configuration: JsonObject = {
    name: 'directory',
    connectorRef: { connectorName: csvKind.connectorName, bundleVersion: '[1.4,2)' },
    configurationProperties: { csvFile: 'people.csv', encoding: 'iso-8859-1' },
    objectTypes: {
      account: { nativeType: '__ACCOUNT__', properties: { uid: text, mail: text, home: text } },
    },
  }
  const system = await openSystem(configuration, environment)
  const provider = systemProvider(new Map([['directory', system]]), environment)
  return {
    provider,
    /** The same, its object sets changed on their way. */
    changed: (change: (set: ObjectSet) => Partial<ObjectSet>): ResourceProvider => ({
      ...provider,
      objectSet(path) {
        const set = provider.objectSet?.(path)
        return set && { ...set, ...change(set) }
      },
    }),
    /** `anna: a@x, home1`, sorted. */
    async rows(): Promise<readonly string[]> {
      const [, ...lines] = (await csv.text()).trimEnd().split('\n')
      return lines
        .map((line) => {
          const [uid, ...others] = line.split(',').map((cell) => cell.replaceAll('"', ''))
          return `${uid}: ${others.join(', ')}`
        })
        .toSorted()
    },
    put: csv.put,
    text: csv.text,
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]()
      await csv[Symbol.asyncDispose]()
    },
  }
}

export type Directory = Awaited<ReturnType<typeof openDirectory>>
