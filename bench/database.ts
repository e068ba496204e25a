/**
 * A table of PostgreSQL, beside its floor (database-floor.ts), in turn, in processes of their own: reading it as the connector does and with the
 * driver's cursor alone; and the first load of it from managed objects, beside a program that reads the same objects and writes the
 * same rows, links and audit entries in pages.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresServer } from '../src/connectors/sql/testing/databases.ts'
import type { TestDatabase } from '../src/connectors/sql/testing/server.ts'
import { makeProject } from './project.ts'
import { type Beside, bin, checkedFor, loadPeople, type Ratio, ratioOf, timed } from './timed.ts'

export interface DatabaseMeasurement {
  readonly size: number
  readonly 'first load': Ratio
  readonly reading: Ratio
}

export const loadMapping = 'managedUser_people'
/** Columns by the properties of a managed user. */
export const peopleColumns = {
  userName: 'login',
  givenName: 'given_name',
  sn: 'family_name',
  mail: 'mail',
  telephoneNumber: 'phone',
  department: 'department',
  city: 'city',
  title: 'title',
} as const

export async function measureDatabase(size: number, rounds: number): Promise<DatabaseMeasurement> {
  await using database = await postgresServer()
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
  const floor = (job: string, ...more: readonly string[]) => [
    join(import.meta.dirname, 'database-floor.ts'),
    ...[job, String(database.settings.port), String(size), ...more],
  ]
  try {
    const store = loadPeople(folder, size)
    // Only now: with the second mapping there, the first load would flow on to the table.
    withTable(folder, size, database)
    const columns = Object.values(peopleColumns).map((name) => `${name} text`)
    await database.run(`CREATE TABLE people (${columns.join(', ')}, PRIMARY KEY (login))`)
    const loads: Beside[] = []
    for (let round = 0; round < rounds; round++) {
      const [own, other] = ['own', 'floor'].map((name) => join(folder, `${name}-${round}`))
      for (const data of [own, other]) cpSync(store, String(data), { recursive: true })
      await database.run('TRUNCATE people')
      const loaded = timed(folder, floor('load', String(other)))
      await database.run('TRUNCATE people')
      const recon = [bin, 'recon', loadMapping, '--project', folder, '--data', String(own), '--json']
      loads.push({ floor: loaded, syncline: timed(folder, recon, checkedFor('ABSENT', size)) })
    }
    const readings = Array.from({ length: rounds }, () => ({
      floor: timed(folder, floor('cursor')),
      syncline: timed(folder, floor('connector')),
    }))
    return { size, 'first load': ratioOf(loads), reading: ratioOf(readings) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Adds a mapping from the people to the table. */
function withTable(folder: string, size: number, database: TestDatabase): void {
  makeProject(folder, size, 'to a table')
  const text = { type: 'string' }
  const properties = Object.values(peopleColumns).map((name) => [
    name === 'login' ? 'userName' : name,
    { ...text, nativeName: name === 'login' ? '__NAME__' : name },
  ])
  const provisioner = {
    name: 'database',
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.databasetable-connector',
      bundleVersion: '[1.1,2)',
      connectorName: 'org.identityconnectors.databasetable.DatabaseTableConnector',
    },
    configurationProperties: { ...database.settings, table: 'people', keyColumn: 'login' },
    objectTypes: {
      account: {
        $schema: 'http://json-schema.org/draft-03/schema',
        ...{ id: '__ACCOUNT__', type: 'object', nativeType: '__ACCOUNT__' },
        properties: Object.fromEntries(properties),
      },
    },
  }
  writeFileSync(join(folder, 'conf/provisioner.openicf-database.json'), JSON.stringify(provisioner, null, 2))
}
