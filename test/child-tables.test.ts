import { afterAll, beforeAll, describe } from 'vitest'
import { sqliteFile } from '../src/connectors/sql/testing/databases.ts'
import type { TestDatabase } from '../src/connectors/sql/testing/server.ts'
import { childTables } from './support/fleet.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await sqliteFile()
})
afterAll(() => database[Symbol.asyncDispose]())

describe('a database that scripts reach, in a SQLite file', () => childTables(() => database))
