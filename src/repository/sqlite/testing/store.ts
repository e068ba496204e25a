import type { Repository } from '../../repository.ts'
import { openSqlite, sqliteOptions } from '../open.ts'

/** A store for a test of another folder: as the environment of the tests has it. */
export function openTestStore(file: string): Promise<Repository> {
  return openSqlite(file, sqliteOptions(process.env))
}
