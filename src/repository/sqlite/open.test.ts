import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/folder.ts'
import { connect, openSqlite, repositoryOn } from './open.ts'

describe('opening a store', () => {
  it('creates the file and the folders above it, and finds everything there again', async () => {
    using folder = temporaryFolder()
    const file = folder.file('data/node/store.db')
    {
      await using repository = await openSqlite(file)
      await repository.settings.write('key', 'value')
    }
    await using again = await openSqlite(file)
    expect(await again.settings.read('key')).toBe('value')
  })

  it('refuses one that a newer program wrote, and does not touch it', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    const newer = new DatabaseSync(file)
    newer.exec('CREATE TABLE of_the_future (id); PRAGMA user_version = 4711')
    newer.close()
    const before = readFileSync(file)
    await expect(openSqlite(file)).rejects.toMatchObject({
      code: 'STORE_TOO_NEW',
      message: expect.stringMatching(/store\.db.* 4711/),
    })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('refuses a file that is something else, and does not touch it', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    writeFileSync(file, 'id;name\n'.repeat(1000))
    await expect(openSqlite(file)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(file),
    })
    expect(readFileSync(file, 'utf8')).toBe('id;name\n'.repeat(1000))
  })

  it('creates files that no other user can read, and leaves those that are there as they are', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    {
      await using repository = await openSqlite(file)
      await repository.settings.write('key', 'value')
      for (const name of readdirSync(folder.path))
        expect([name, statSync(folder.file(name)).mode & 0o777]).toEqual([name, 0o600])
      expect(readdirSync(folder.path)).toContain('store.db-wal')
    }
    chmodSync(file, 0o640)
    await using _ = await openSqlite(file)
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  it('creates folders that no other user can enter', async () => {
    using folder = temporaryFolder()
    await using _ = await openSqlite(folder.file('data/node/store.db'))
    for (const created of ['data', 'data/node']) expect(statSync(folder.file(created)).mode & 0o077).toBe(0)
  })

  it.each([
    ['a file', 'data', (at: string) => writeFileSync(at, 'a file')],
    ['below a file', 'data/node', (at: string) => writeFileSync(dirname(at), 'a file')],
    ['a link to nowhere', 'data', (at: string) => symlinkSync(`${at}-gone`, at)],
  ])('says which folder cannot be created, and why: %s', async (_what, name, spoil) => {
    using folder = temporaryFolder()
    spoil(folder.file(name))
    await expect(openSqlite(folder.file(`${name}/store.db`))).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringMatching(new RegExp(`^The data folder ${folder.file(name)} .*: [A-Z]+`)),
    })
  })
})

describe('a closed store', () => {
  it('has finished what was under way, and refuses everything after', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    const repository = await openSqlite(file)
    const write = repository.settings.write('key', 'value')
    await repository[Symbol.asyncDispose]()
    await write
    await expect(repository.settings.read('key')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(repository.settings.write('key', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(existsSync(`${file}-wal`)).toBe(false)
    await using again = await openSqlite(file)
    expect(await again.settings.read('key')).toBe('value')
  })
})

describe('a full disk', () => {
  const page = Array.from({ length: 200 }, (_, n) => {
    return { operation: 'create' as const, id: String(n), content: { text: 'x'.repeat(2000) } }
  })

  it('fails the transaction with STORE_FAILED and leaves a store that works once there is space', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    const connections = connect(file)
    const { db } = connections.writer
    await using repository = repositoryOn(connections, { patience: 1000 })
    await repository.objects.write('managed/user', page.slice(0, 2))
    const { page_count } = db.prepare('PRAGMA page_count').get() as { page_count: number }
    db.exec(`PRAGMA max_page_count = ${page_count + 20}`)

    const alone = repository.objects.write('managed/role', page)
    await expect(alone).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('full'),
    })
    const together = repository.transaction(async (store) => {
      await store.settings.write('key', 'value')
      await store.objects.write('managed/user', page.slice(2))
    })
    await expect(together).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(await repository.settings.read('key')).toBeUndefined()
    expect(await repository.objects.count('managed/user')).toBe(2)

    db.exec('PRAGMA max_page_count = 100000')
    await repository.objects.write('managed/role', page)
    expect(await repository.objects.count('managed/role')).toBe(200)
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  })
})
