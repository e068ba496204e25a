import { readFileSync, writeFileSync } from 'node:fs'
import type { Repository } from '../repository/repository.ts'
import { openSqlite, type SqliteOptions, sqliteOptions } from '../repository/sqlite/open.ts'
import { temporaryFolder } from './folder.ts'

/** A store of one test's own, as the environment has it, in a folder that takes other files as well. Both end with it. */
export interface TemporaryStore extends AsyncDisposable {
  readonly repository: Repository
  readonly folder: string
}

export async function temporaryStore(
  options: SqliteOptions = sqliteOptions(process.env),
): Promise<TemporaryStore> {
  const folder = temporaryFolder()
  const file = folder.file('store.db')
  template ??= emptyStore()
  writeFileSync(file, await template)
  const repository = await openSqlite(file, options)
  return {
    repository,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** Migrated once a process: that takes five times as long as to open what is there. */
let template: Promise<Uint8Array> | undefined

async function emptyStore(): Promise<Uint8Array> {
  using folder = temporaryFolder()
  const file = folder.file('store.db')
  const repository = await openSqlite(file)
  await repository[Symbol.asyncDispose]()
  return readFileSync(file)
}
