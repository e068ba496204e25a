import { afterAll, beforeAll } from 'vitest'
import { tableContract } from './testing/contract.ts'
import { mariadbServer } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await mariadbServer()
})
afterAll(() => database[Symbol.asyncDispose]())

tableContract('a MariaDB table', () => database, { text: 'VARCHAR(200) COLLATE utf8mb4_bin', bytes: 'BLOB' })
