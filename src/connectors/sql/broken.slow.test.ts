import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import type { ConnectorWrite } from '../kit/write.ts'
import { postgresServer, type TestServer } from './testing/databases.ts'
import { watchedConnector } from './testing/watched.ts'

/** What becomes of a page when its connection breaks, and of two pages that want each other's rows. */
let database: TestServer
beforeAll(async () => {
  database = await postgresServer()
})
afterAll(() => database[Symbol.asyncDispose]())

const account = '__ACCOUNT__'
const created = (id: string): ConnectorWrite => ({ operation: 'create', attributes: { id } })
const noted = (id: string, note: string): ConnectorWrite => ({
  operation: 'update',
  id,
  changes: [{ attribute: 'note', kind: 'set', value: note }],
})

let tables = 0
async function table(): Promise<string> {
  const name = `broken${++tables}`
  await database.run(`CREATE TABLE ${name} (id text PRIMARY KEY, note text)`)
  return name
}

it('writes nothing of a page whose server dies before the commit, and says when that is not known', async () => {
  for (const [statement, message] of [
    ['INSERT', /terminat|closed|reset|ended|queryable/i],
    ['COMMIT', /whether it was written is unknown/],
  ] as const) {
    const name = await table()
    let dies = true
    await using connector = watchedConnector(database, { table: name, keyColumn: 'id' }, async (sql) => {
      if (!dies || !sql.startsWith(statement)) return
      dies = false
      await database.server.crash()
    })
    const failure = await connector
      .writeMany(account, [created('a'), created('b')])
      .catch((error: unknown) => error)
    expect([String(failure), kindOfError(failure)]).toEqual([expect.stringMatching(message), 'connection'])
    await database.server.start()
    expect(await connector.count(account)).toBe(0)
    expect((await connector.writeMany(account, [created('a')])).map(({ ok }) => ok)).toEqual([true])
  }
})

it('is reached again after its connections were cut while they were idle', async () => {
  const name = await table()
  await using connector = database.connect({ table: name, keyColumn: 'id' })
  await connector.writeMany(account, [created('a')])
  await database.run(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'syncline'",
  )
  await expect.poll(() => connector.count(account).catch(() => undefined)).toBe(1)
})

it('writes pages for the same rows at the same time, whatever their order', async () => {
  const name = await table()
  await using connector = database.connect({ table: name, keyColumn: 'id' })
  const ids = Array.from({ length: 40 }, (_, n) => `u${n}`)
  await connector.writeMany(account, ids.map(created))
  const pages = Array.from({ length: 12 }, (_, n) =>
    (n % 2 === 0 ? ids : ids.toReversed()).flatMap((id) => [noted(id, `first ${n}`), noted(id, `page ${n}`)]),
  )
  const outcomes = (await Promise.all(pages.map((page) => connector.writeMany(account, page)))).flat()
  expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
  const notes = await database.run(`SELECT DISTINCT note FROM ${name}`)
  expect(notes).toHaveLength(1)
})

it('writes a page again that the database took back for the sake of another one', async () => {
  const name = await table()
  let deadlocks = 2
  await using connector = watchedConnector(database, { table: name, keyColumn: 'id' }, (sql) => {
    if (!sql.startsWith('INSERT') || deadlocks-- <= 0) return
    throw new ConnectorError('conflict', 'deadlock detected')
  })
  expect((await connector.writeMany(account, [created('a')])).map(({ ok }) => ok)).toEqual([true])
  expect(await connector.count(account)).toBe(1)
})

it('leaves a page that hangs when its signal is aborted, and nothing of it is written', async () => {
  const name = await table()
  await using connector = database.connect({ table: name, keyColumn: 'id' })
  await connector.writeMany(account, [created('a')])
  const blocker = await database.dialect.connect(new AbortController().signal)
  await blocker.run('BEGIN')
  await blocker.run(`UPDATE ${name} SET note = 'held' WHERE id = 'a'`)
  const stop = new AbortController()
  const reason = new Error('too long')
  const hanging = connector
    .writeMany(account, [created('b'), noted('a', 'late')], stop.signal)
    .catch((error: unknown) => error)
  await expect
    .poll(async () => Number((await database.run('SELECT count(*) FROM pg_locks WHERE NOT granted'))[0]?.[0]))
    .toBeGreaterThan(0)
  stop.abort(reason)
  expect(await hanging).toBe(reason)
  await blocker.run('COMMIT')
  await blocker.close()
  expect(await connector.count(account)).toBe(1)
})
