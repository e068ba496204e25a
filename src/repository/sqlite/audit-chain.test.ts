import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/folder.ts'
import type { AuditEvents } from '../audit.ts'
import { openSqlite } from './open.ts'

/** What is done to the audit behind Syncline's back is found. */
async function tampered(sql: string, before: (audit: AuditEvents) => Promise<unknown> = async () => {}) {
  using folder = temporaryFolder()
  const file = folder.file('store.db')
  {
    await using repository = await openSqlite(file)
    for (let page = 0; page < 3; page++)
      await repository.audit.append(
        Array.from({ length: 10 }, (_, index) => ({
          ...{ id: `${page}-${index}`, topic: 'recon', timestamp: '2026-01-01T00:00:00Z' },
          content: { action: 'CREATE', targetObjectId: `managed/user/${index}` },
        })),
      )
    await before(repository.audit)
  }
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
  await using repository = await openSqlite(file)
  return await repository.audit.verify()
}

describe('a chain of audit events', () => {
  it('holds if nothing was done', async () => {
    expect(await tampered('SELECT 1')).toMatchObject({ chained: 30, unchained: 0, broken: undefined })
  })

  it.each([
    [
      'an event is changed',
      "UPDATE audit SET content = replace(content, 'CREATE', 'IGNORE') WHERE id = '1-4'",
      '1-4',
    ],
    ['a time is changed', "UPDATE audit SET timestamp = '2020-01-01T00:00:00Z' WHERE id = '0-0'", '0-0'],
    ['an event is removed', "DELETE FROM audit WHERE id = '1-4'", '1-5'],
    [
      'two events change places',
      "UPDATE audit SET seq = -seq WHERE id IN ('1-4', '1-5'); UPDATE audit SET seq = 15 WHERE id = '1-5'; UPDATE audit SET seq = 16 WHERE id = '1-4'",
      '1-5',
    ],
    [
      'an event is put in',
      "INSERT INTO audit (topic, id, timestamp, content) VALUES ('recon', 'forged', '2026-01-01T00:00:00Z', '{}')",
      'forged',
    ],
  ])('is broken where %s', async (_what, sql, id) => {
    expect((await tampered(sql)).broken).toMatchObject({ id })
  })

  it('is broken at its end where the last events are removed', async () => {
    const { broken } = await tampered("DELETE FROM audit WHERE id LIKE '2-%'")
    expect(broken?.why).toBe('the last events are missing: 30 were written, 20 are there')
  })
})

describe('a chain out of which events were removed', () => {
  const removal = (id: string) => ({ id, timestamp: '2026-01-01T00:00:00Z', content: {} })
  /** Of 30 events, the first twelve. */
  const retention = async (audit: AuditEvents) => {
    await audit.remove({ topic: 'recon', keep: 20 }, 5, removal('first'))
    await audit.remove({ topic: 'recon', keep: 18 }, 50, removal('second'))
  }

  it('holds if Syncline did it', async () => {
    expect(await tampered('SELECT 1', retention)).toMatchObject({
      chained: 20,
      removed: 12,
      broken: undefined,
    })
  })

  it.each([
    ['another one is removed as well', "DELETE FROM audit WHERE id = '1-4'", { id: '1-5' }],
    [
      'another one is removed as well, and called a part of the gap',
      "DELETE FROM audit WHERE id = '1-2'; UPDATE audit_gaps SET last = 13, events = 13, hash = (SELECT hash FROM stolen)",
      { why: 'other events were removed than are recorded as removed' },
    ],
    [
      'another one is removed as well, and called a gap',
      "DELETE FROM audit WHERE id = '1-4'; INSERT INTO audit_gaps VALUES (15, 15, (SELECT hash FROM stolen_too), 1)",
      { why: 'other events were removed than are recorded as removed' },
    ],
    ['the record of it is removed', "DELETE FROM audit WHERE id = 'first'", { id: 'second' }],
    [
      'the record of it is changed',
      "UPDATE audit SET content = replace(content, 'gaps', 'laps') WHERE id = 'second'",
      { id: 'second' },
    ],
    [
      'something is put in its place',
      "INSERT INTO audit (seq, topic, id, timestamp, content) VALUES (3, 'recon', 'forged', '2026-01-01T00:00:00Z', '{}')",
      { id: 'forged' },
    ],
    ['the gap is closed', 'DELETE FROM audit_gaps', { id: '1-2' }],
  ])('is broken where %s', async (_what, sql, broken) => {
    const prepared = `CREATE TABLE stolen AS SELECT hash FROM audit WHERE id = '1-2';
      CREATE TABLE stolen_too AS SELECT hash FROM audit WHERE id = '1-4'; ${sql}`
    expect((await tampered(prepared, retention)).broken).toMatchObject(broken)
  })
})
