import { afterAll, beforeAll } from 'vitest'
import { sqliteFile } from '../sql/testing/databases.ts'
import type { TestDatabase } from '../sql/testing/server.ts'
import { scriptedContract } from './testing/contract.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await sqliteFile()
})
afterAll(() => database[Symbol.asyncDispose]())

scriptedContract('people in a SQLite file, by scripts', () => database)
