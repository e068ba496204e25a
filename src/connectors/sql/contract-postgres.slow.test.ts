import { afterAll, beforeAll } from 'vitest'
import { tableContract } from './testing/contract.ts'
import { postgresServer } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await postgresServer()
})
afterAll(() => database[Symbol.asyncDispose]())

tableContract('a PostgreSQL table', () => database, { text: 'text', bytes: 'bytea' })
