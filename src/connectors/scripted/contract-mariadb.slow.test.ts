import { afterAll, beforeAll } from 'vitest'
import { mariadbServer } from '../sql/testing/databases.ts'
import type { TestDatabase } from '../sql/testing/server.ts'
import { scriptedContract } from './testing/contract.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await mariadbServer()
})
afterAll(() => database[Symbol.asyncDispose]())

scriptedContract('people in MariaDB, by scripts', () => database)
