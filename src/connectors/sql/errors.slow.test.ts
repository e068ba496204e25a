import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ConnectorWrite } from '../kit/write.ts'
import { mariadbServer, postgresServer, sqliteFile } from './testing/databases.ts'
import type { TestDatabase } from './testing/server.ts'

/** What a person reads when the database refuses: its own words, the kind of the problem, and what to do. */
const account = '__ACCOUNT__'
const databases = new Map<string, TestDatabase>()
beforeAll(async () => {
  const opened = await Promise.all([postgresServer(), mariadbServer(), sqliteFile()])
  for (const database of opened) {
    databases.set(database.name, database)
    await database.run('CREATE TABLE people (id VARCHAR(20) PRIMARY KEY, note VARCHAR(4000))')
    await database.run('CREATE VIEW upper_people AS SELECT id, UPPER(note) AS note FROM people')
  }
})
afterAll(async () => {
  for (const database of databases.values()) await database[Symbol.asyncDispose]()
})

const table = { table: 'people', keyColumn: 'id' }
const server = ['PostgreSQL', 'MariaDB'] as const
const all = [...server, 'SQLite'] as const
const long = 'x'.repeat(3_500)

const notes: readonly ConnectorWrite[] = Array.from({ length: 20 }, (_, n) => ({
  operation: 'create',
  attributes: { id: `f${n}`, note: long },
}))

/** A trigger that refuses every insert as the server would. */
const raising = (state: string, message: string) =>
  [
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION SQLSTATE '${state}' USING MESSAGE = '${message.replaceAll("'", "''")}'; END $$`,
    'CREATE TRIGGER refusing BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION refuse()',
    'DROP FUNCTION refuse CASCADE',
  ] as const

interface Case {
  readonly what: string
  readonly on: readonly ('PostgreSQL' | 'MariaDB' | 'SQLite')[]
  readonly settings: JsonObject
  /** Nothing: the connection is tested. */
  readonly writes?: readonly ConnectorWrite[]
  /** Runs first, and what takes it back. */
  readonly before?: readonly string[]
  readonly code: string
  readonly says: RegExp
  readonly hint: RegExp
}

const cases: readonly Case[] = [
  {
    ...{ what: 'a wrong password', on: ['MariaDB'], settings: { password: 'wrong' } },
    ...{ code: 'CONNECTOR_FAILED', says: /Access denied for user 'tests'/, hint: /credentials/ },
  },
  {
    ...{ what: 'an account that there is not', on: ['PostgreSQL'], settings: { user: 'nobody' } },
    ...{ code: 'CONNECTOR_FAILED', says: /role "nobody" does not exist/, hint: /credentials/ },
  },
  {
    ...{ what: 'a database that there is not', on: ['PostgreSQL'], settings: { database: 'nowhere' } },
    ...{ code: 'CONFIGURATION', says: /nowhere/, hint: /./ },
  },
  {
    ...{ what: 'a port where nobody listens', on: server, settings: { port: '1' } },
    ...{ code: 'UNAVAILABLE', says: /ECONNREFUSED/, hint: /can be reached/ },
  },
  {
    ...{ what: 'a table that there is not', on: all, settings: { table: 'peple' } },
    ...{
      code: 'CONFIGURATION',
      says: /table is peple; .* has no such table or view.* There are: .*people/,
      hint: /./,
    },
  },
  {
    ...{ what: 'a column that there is not', on: all, settings: { keyColumn: 'uid' } },
    ...{
      code: 'CONFIGURATION',
      says: /keyColumn is uid; people has no such column. There are: id, note/,
      hint: /./,
    },
  },
  {
    ...{ what: 'an attribute without a column', on: all, settings: {} },
    writes: [{ operation: 'create', attributes: { id: 'a', shoe: 'x' } }],
    ...{ code: 'INVALID_VALUE', says: /people has no column shoe/, hint: /./ },
  },
  {
    ...{ what: 'a column of a view that cannot be written', on: all, settings: { table: 'upper_people' } },
    before: ["INSERT INTO people VALUES ('v', 'x')", "DELETE FROM people WHERE id = 'v'"],
    writes: [{ operation: 'update', id: 'v', changes: [{ attribute: 'note', kind: 'set', value: 'y' }] }],
    ...{ code: 'NOT_IMPLEMENTED', says: /upper_people|"?note"?/, hint: /./ },
  },
  {
    ...{ what: 'a full disk', on: ['SQLite'], settings: {} },
    before: ['PRAGMA max_page_count = 6', 'PRAGMA max_page_count = 1000000'],
    writes: notes,
    ...{ code: 'CONNECTOR_FAILED', says: /database or disk is full/, hint: /Make room on the disk/ },
  },
  {
    ...{ what: 'a full disk', on: ['PostgreSQL'], settings: {} },
    before: raising('53100', 'could not extend file "base/5/16385": No space left on device'),
    writes: notes,
    ...{ code: 'CONNECTOR_FAILED', says: /No space left on device/, hint: /Make room on the disk/ },
  },
  {
    ...{ what: 'a full disk', on: ['MariaDB'], settings: {} },
    before: [
      "CREATE TRIGGER refusing BEFORE INSERT ON people FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table ''people'' is full'",
      'DROP TRIGGER refusing',
    ],
    writes: notes,
    ...{ code: 'CONNECTOR_FAILED', says: /The table 'people' is full/, hint: /Make room on the disk/ },
  },
  {
    ...{ what: 'a statement that takes too long', on: ['PostgreSQL'], settings: {} },
    before: raising('57014', 'canceling statement due to statement timeout'),
    writes: notes,
    ...{ code: 'UNAVAILABLE', says: /canceling statement due to statement timeout/, hint: /Raise the limit/ },
  },
  {
    ...{ what: 'a statement that takes too long', on: ['MariaDB'], settings: {} },
    before: [
      "CREATE TRIGGER refusing BEFORE INSERT ON people FOR EACH ROW SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1969, MESSAGE_TEXT = 'Query execution was interrupted (max_statement_time exceeded)'",
      'DROP TRIGGER refusing',
    ],
    writes: notes,
    ...{ code: 'UNAVAILABLE', says: /max_statement_time exceeded/, hint: /Raise the limit/ },
  },
]

describe.each(all)('%s', (name) => {
  const own = cases.filter(({ on }) => on.includes(name))
  it.each(own)('says of $what one sentence in its own words, and what to do', async (one) => {
    const database = databases.get(name)
    if (!database) throw new Error(`There is no ${name}`)
    for (const sql of one.before?.slice(0, -1) ?? []) await prepared(database, one, sql)
    try {
      const problem = await failureOf(database, one)
      expect([problem.code, problem.message]).toEqual([one.code, expect.stringMatching(one.says)])
      expect(problem.hint).toMatch(one.hint)
      expect(problem.message).not.toMatch(/\n|INSERT INTO|UPDATE people|not checked/)
    } finally {
      const last = one.before?.at(-1)
      if (last !== undefined) await database.run(last)
    }
  })
})

describe('a certificate', () => {
  it.each([
    ['CERT_HAS_EXPIRED', /Renew the certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /as the certificate of the server names it/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS/],
  ])('that is refused with %s says what to do', (code, hint) => {
    for (const name of server) {
      const error = databases
        .get(name)
        ?.dialect.errorOf(Object.assign(new Error('certificate refused'), { code }))
      expect([error?.code, error?.message, error?.hint]).toEqual([
        'CONNECTOR_FAILED',
        'certificate refused',
        expect.stringMatching(hint),
      ])
    }
  })
})

/** SQLite limits a file by the connection that writes it. */
async function prepared(database: TestDatabase, { writes }: Case, sql: string): Promise<void> {
  if (database.name !== 'SQLite' || writes !== notes) await database.run(sql)
}

async function failureOf(database: TestDatabase, { settings, writes }: Case): Promise<Problem> {
  const isLimited = database.name === 'SQLite' && writes === notes
  const limit = isLimited ? { validConnectionQuery: 'PRAGMA max_page_count = 6' } : {}
  await using connector = database.connect({ ...table, ...settings, ...limit })
  try {
    await connector.test()
    const [outcome] = writes ? await connector.writeMany(account, writes) : []
    if (outcome && !outcome.ok && outcome.error instanceof Problem) return outcome.error
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('Nothing was refused')
}
