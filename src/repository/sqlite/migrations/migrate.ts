import type { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../../model/problem.ts'
import { number } from '../column.ts'
import { initial } from './001-initial.ts'
import { spellings } from './002-spellings.ts'
import { intents } from './003-intents.ts'
import { history } from './004-history.ts'
import { syncQueue } from './005-sync-queue.ts'
import { auditChain } from './006-audit-chain.ts'
import { auditGaps } from './007-audit-gaps.ts'
import { relationships } from './008-relationships.ts'
import { leases } from './009-leases.ts'

/** The schema's history: the version of a store is how many of these it has been through. Append only. */
export const migrations: readonly string[] = [
  initial,
  spellings,
  intents,
  history,
  syncQueue,
  auditChain,
  auditGaps,
  relationships,
  leases,
]

/** Brings a store to this program's schema in one transaction. STORE_TOO_NEW, untouched, if a newer one wrote it. */
export function migrate(db: DatabaseSync, file: string, steps: readonly string[] = migrations): void {
  if (requireKnown(db, file, steps) === steps.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Asked again now that nobody else can write: another process may have migrated it meanwhile.
    for (const step of steps.slice(requireKnown(db, file, steps))) db.exec(step)
    db.exec(`PRAGMA user_version = ${steps.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function requireKnown(db: DatabaseSync, file: string, steps: readonly string[]): number {
  const version = number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version <= steps.length) return version
  throw new Problem(
    'STORE_TOO_NEW',
    `The store ${file} has schema version ${version}; this program knows versions up to ${steps.length}`,
  )
}
