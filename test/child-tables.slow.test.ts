import { afterAll, beforeAll, describe } from 'vitest'
import { mariadbServer, postgresServer } from '../src/connectors/sql/testing/databases.ts'
import type { TestDatabase } from '../src/connectors/sql/testing/server.ts'
import { childTables } from './support/fleet.ts'

const databases: TestDatabase[] = []
beforeAll(async () => {
  databases.push(...(await Promise.all([postgresServer(), mariadbServer()])))
})
afterAll(async () => {
  for (const database of databases) await database[Symbol.asyncDispose]()
})

describe.each(['PostgreSQL', 'MariaDB'] as const)('a database that scripts reach, %s', (wanted) => {
  childTables(() => {
    const found = databases.find(({ name }) => name === wanted)
    if (found) return found
    throw new Error(`There is no ${wanted}`)
  })
})
