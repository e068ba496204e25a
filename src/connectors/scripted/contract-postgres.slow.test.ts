import { afterAll, beforeAll } from 'vitest'
import { postgresServer } from '../sql/testing/databases.ts'
import type { TestDatabase } from '../sql/testing/server.ts'
import { scriptedContract } from './testing/contract.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await postgresServer()
})
afterAll(() => database[Symbol.asyncDispose]())

scriptedContract('people in PostgreSQL, by scripts', () => database)
