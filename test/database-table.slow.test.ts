import { afterAll, beforeAll, expect, it } from 'vitest'
import { mariadbServer, postgresServer } from '../src/connectors/sql/testing/databases.ts'
import type { TestDatabase } from '../src/connectors/sql/testing/server.ts'
import type { JsonObject } from '../src/model/json.ts'
import { accounts, counted, users } from './support/example.ts'
import { type RunObject, TestProject } from './support/project.ts'

/** The example with its directory in a table of a database. */
const databases: TestDatabase[] = []
beforeAll(async () => {
  databases.push(...(await Promise.all([postgresServer(), mariadbServer()])))
})
afterAll(async () => {
  for (const database of databases) await database[Symbol.asyncDispose]()
})

const provisioner = 'conf/provisioner.openicf-directory.json'

/** The special columns are spelled as the settings of old spelled them. */
async function inTable(project: TestProject, database: TestDatabase): Promise<void> {
  const settings = { table: 'people', keyColumn: 'UID', changeLogColumn: 'changed' }
  const [header = '', ...rows] = project.read('data/directory.csv').trim().split('\n')
  const names = header.replaceAll('"', '').split(',')
  const isMaria = database.name === 'MariaDB'
  const text = isMaria ? 'VARCHAR(200) COLLATE utf8mb4_bin' : 'varchar(200)'
  const stamp = isMaria
    ? 'TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)'
    : 'timestamptz NOT NULL DEFAULT clock_timestamp()'
  const quote = isMaria ? '`' : '"'
  const columns = names.map(
    (name) => `${quote}${name}${quote} ${text}${name === 'uid' ? ' PRIMARY KEY' : ''}`,
  )
  await database.run(`CREATE TABLE people (${columns.join(', ')}, changed ${stamp})`)
  await using connector = database.connect(settings)
  const writes = rows.map((row) => {
    const cells: string[] = JSON.parse(`[${row}]`)
    return {
      operation: 'create' as const,
      attributes: Object.fromEntries(names.map((name, n) => [name, cells[n] ?? ''])),
    }
  })
  const outcomes = await connector.writeMany('__ACCOUNT__', writes)
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
  const document: JsonObject = JSON.parse(project.read(provisioner))
  project.write(provisioner, {
    ...document,
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.databasetable-connector',
      bundleVersion: '[1.1,2)',
      connectorName: 'org.identityconnectors.databasetable.DatabaseTableConnector',
    },
    configurationProperties: { ...database.settings, ...settings },
  })
}

it.each(['PostgreSQL', 'MariaDB'])(
  'creates and links accounts in a table of %s at first; the second time it writes nothing',
  async (name) => {
    const database = databases.find((one) => one.name === name)
    if (!database) throw new Error(`There is no ${name}`)
    using project = TestProject.example()
    await inTable(project, database)
    expect(project.syncline(['check']).out).toContain('The configuration is valid.')
    const first = [users, accounts].map((mapping) => project.json<RunObject>('recon', mapping))
    expect(first.map(counted)).toEqual([
      { ABSENT: 458, SOURCE_IGNORED: 42 },
      { FOUND: 52, ABSENT: 405, AMBIGUOUS: 1, UNASSIGNED: 6 },
    ])
    expect(first.map(({ statusSummary }) => statusSummary.FAILURE)).toEqual([0, 0])
    const state = () => database.run('SELECT * FROM people ORDER BY uid')
    const before = await state()
    expect(before).toHaveLength(60 + 405)
    const second = project.json<RunObject>('recon', accounts)
    expect(counted(second)).toEqual({ CONFIRMED: 457, AMBIGUOUS: 1, UNASSIGNED: 6 })
    expect(second.progress.target).toMatchObject({ created: 0, updated: 0, deleted: 0 })
    expect(await state()).toEqual(before)
  },
)
