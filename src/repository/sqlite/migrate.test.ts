import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { migrate, migrations } from './migrate.ts'

const newer = [...migrations, 'ALTER TABLE settings ADD COLUMN changed TEXT']

function versionOf(db: DatabaseSync): unknown {
  return db.prepare('PRAGMA user_version').get()?.user_version
}

describe('migrating a store', () => {
  it('of an older version runs what is missing, once, and keeps the data', () => {
    using db = new DatabaseSync(':memory:')
    migrate(db, 'store')
    db.exec(`INSERT INTO settings (key, value) VALUES ('key', '1')`)
    migrate(db, 'store', newer)
    migrate(db, 'store', newer)
    expect(versionOf(db)).toBe(newer.length)
    expect(db.prepare('SELECT * FROM settings').get()).toEqual({ key: 'key', value: '1', changed: null })
  })

  it('keeps nothing of a migration that fails', () => {
    using db = new DatabaseSync(':memory:')
    migrate(db, 'store')
    expect(() => migrate(db, 'store', [...newer, 'nonsense'])).toThrow('nonsense')
    expect(versionOf(db)).toBe(migrations.length)
    expect(() => db.prepare('SELECT changed FROM settings')).toThrow('changed')
  })

  it('of a newer version is refused', () => {
    using db = new DatabaseSync(':memory:')
    migrate(db, 'store', newer)
    expect(() => migrate(db, 'store')).toThrow(expect.objectContaining({ code: 'STORE_TOO_NEW' }))
  })
})
