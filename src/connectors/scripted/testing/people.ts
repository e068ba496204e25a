import { join } from 'node:path'
import { readProjectFile } from '../../../config/files.ts'
import type { JsonObject } from '../../../model/json.ts'
import { testEngine } from '../../../scripts/testing/engine.ts'
import { connectorScripts } from '../../../server/connector-scripts.ts'
import { standaloneHost } from '../../kit/host.ts'
import type { ConnectorHost } from '../../kit/kind.ts'
import type { TestDatabase } from '../../sql/testing/server.ts'
import { scriptedSqlKind } from '../kind.ts'
import type { ScriptedConnector } from '../scripted-connector.ts'
import { hooks } from '../settings.ts'

/** Scripted connectors in a real sandbox. */
export interface TestScripts extends AsyncDisposable {
  readonly host: ConnectorHost
  readonly logged: readonly string[]
  readonly warnings: readonly string[]
  connect(settings: JsonObject): ScriptedConnector
}

export async function testScripts(
  projectFolder: string,
  options: { readonly timeout?: number; readonly memory?: number } = {},
): Promise<TestScripts> {
  const engine = await testEngine(options)
  const warnings: string[] = []
  const host = standaloneHost({
    projectFolder,
    scripts: connectorScripts(engine.engine, (path) => readProjectFile(projectFolder, path)),
    log: (_level, message) => warnings.push(message),
  })
  return {
    host,
    warnings,
    get logged() {
      return engine.logged.map(([level, label, message]) => `${level} ${label}: ${message}`)
    },
    // The kind makes nothing else.
    connect: (settings) => scriptedSqlKind.create(settings, host) as ScriptedConnector,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}

export const peopleFolder = join(import.meta.dirname, 'people')

/** The files of a folder that are called like the hooks. */
export function filesOf(...names: readonly (keyof typeof hooks)[]): JsonObject {
  return Object.fromEntries(names.map((hook) => [hooks[hook], `${hook}.js`]))
}

let count = 0

/** Settings of the people in new tables of a database. */
export async function peopleIn(
  database: TestDatabase,
): Promise<{ readonly settings: JsonObject; drop(): Promise<void> }> {
  const table = `people${++count}`
  const { key, text, bytes } = types[database.name]
  await database.run(
    `CREATE TABLE ${table} (id ${key}, login ${text} NOT NULL UNIQUE, mail ${text}, name ${text}, password ${text}, photo ${bytes})`,
  )
  await database.run(`CREATE TABLE ${table}_phones (person INTEGER NOT NULL, phone ${text} NOT NULL)`)
  return {
    settings: {
      ...database.settings,
      ...filesOf('search', 'create', 'update', 'delete', 'schema', 'authenticate', 'resolveUsername', 'test'),
      customConfiguration: `table = '${table}'`,
    },
    async drop() {
      for (const one of [`${table}_phones`, table]) await database.run(`DROP TABLE ${one}`)
    },
  }
}

const types = {
  SQLite: { key: 'INTEGER PRIMARY KEY AUTOINCREMENT', text: 'TEXT', bytes: 'BLOB' },
  PostgreSQL: {
    key: 'INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    text: 'VARCHAR(200)',
    bytes: 'BYTEA',
  },
  MariaDB: {
    key: 'INTEGER AUTO_INCREMENT PRIMARY KEY',
    text: 'VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    bytes: 'BLOB',
  },
} as const
