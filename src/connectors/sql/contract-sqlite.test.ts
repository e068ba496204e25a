import { afterAll, beforeAll } from 'vitest'
import { tableContract } from './testing/contract.ts'
import { sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await sqliteFile()
})
afterAll(() => database[Symbol.asyncDispose]())

tableContract('a SQLite table', () => database, { text: 'TEXT', bytes: 'BLOB' })
