import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf, Problem } from '../../model/problem.ts'
import type { Repository, Store } from '../repository.ts'
import { sqliteAudit } from './audit.ts'
import { copyState } from './branch.ts'
import { Connection } from './connection.ts'
import { explained } from './failure.ts'
import { sqliteIntents } from './intents.ts'
import { sqliteIssues } from './issues.ts'
import { sqliteLeases } from './leases.ts'
import { sqliteLinks } from './links.ts'
import { migrate } from './migrate.ts'
import { sqliteObjects } from './objects.ts'
import { sqliteRelationships } from './relationships.ts'
import { sqliteRuns } from './runs.ts'
import { type Connections, type Session, Sessions } from './session.ts'
import { sqliteSettings } from './settings.ts'
import { sqliteSyncQueue } from './sync-queue.ts'

export interface SqliteOptions {
  /** How many milliseconds a transaction waits for a transaction of another process. */
  readonly patience?: number
  /** The work of every transaction is called once, rolled back, and called again: this finds work that cannot be repeated. */
  readonly repeatTransactions?: boolean
}

/** For developers of Syncline: SYNCLINE_REPEAT_TRANSACTIONS=1. */
export function sqliteOptions(environment: Readonly<Record<string, string | undefined>>): SqliteOptions {
  return { repeatTransactions: environment.SYNCLINE_REPEAT_TRANSACTIONS === '1' }
}

/**
 * The embedded store in one file (and its write-ahead log beside it), created and migrated as needed.
 * STORE_TOO_NEW if a newer program wrote it; STORE_FAILED if it cannot be opened or is no store.
 */
export async function openSqlite(file: string, options: SqliteOptions = {}): Promise<Repository> {
  return repositoryOn(connect(file), options)
}

/** The repository over connections that are ready for work. */
export function repositoryOn(connections: Connections, options: SqliteOptions = {}): Repository {
  const { patience = 10_000, repeatTransactions = false } = options
  const sessions = new Sessions(connections, { patience, repeatTransactions })
  const nextRevision = revisions()
  const storeOf = (session: Session): Store => ({
    links: sqliteLinks(session, nextRevision),
    intents: sqliteIntents(session),
    issues: sqliteIssues(session),
    objects: sqliteObjects(session, nextRevision),
    relationships: sqliteRelationships(session, nextRevision),
    runs: sqliteRuns(session),
    audit: sqliteAudit(session),
    settings: sqliteSettings(session),
    syncQueue: sqliteSyncQueue(session),
    leases: sqliteLeases(session),
  })
  return {
    ...storeOf(sessions),
    transaction: (work) => sessions.transaction((session) => work(storeOf(session))),
    async branch(folder) {
      const own = connect(join(folder, 'branch.db'))
      await copyState(connections.writer.file, own.writer)
      return repositoryOn(own, options)
    },
    [Symbol.asyncDispose]: () => sessions.close(),
  }
}

/** Makes revisions: short, opaque, and never the same twice, also not after a restart or by another process. */
function revisions(): () => string {
  const start = randomBytes(4).toString('hex')
  let count = 0
  return () => `${start}-${(count++).toString(36)}`
}

/** Opens the file twice, to write and to read, and migrates it. */
export function connect(file: string): Connections {
  const opened: Connection[] = []
  try {
    createFolder(dirname(file))
    createFile(file)
    const open = (lockTimeout: number): Connection => {
      const connection = new Connection(file, { lockTimeout })
      opened.push(connection)
      return connection
    }
    const writer = open(patienceAtStart)
    migrate(writer.db, file)
    writer.prepareForWork()
    // From now on waiting is asynchronous.
    writer.db.exec(`PRAGMA busy_timeout = ${briefly}`)
    const reader = open(patienceAtStart)
    reader.prepareForWork()
    reader.db.exec('PRAGMA query_only = ON')
    return { writer, reader }
  } catch (error) {
    for (const connection of opened) connection.close()
    throw explained(error, file)
  }
}

function createFolder(folder: string): void {
  try {
    createLevels(folder)
  } catch (error) {
    const message = `The data folder ${folder} cannot be created: ${messageOf(error)}`
    throw new Problem('STORE_FAILED', message, { cause: error })
  }
}

/**
 * Identity data: other users must not read it. SQLite gives the files beside it the same permissions. A file that is there keeps
 * its own.
 */
function createFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    // It is there, or SQLite will say why it cannot be opened.
  }
}

/**
 * Level by level: Node's recursive mkdir never ends if a folder is reported as missing although its parent exists (in
 * `/proc`, for example).
 */
function createLevels(folder: string): void {
  if (isFolder(folder)) return
  if (dirname(folder) !== folder) createLevels(dirname(folder))
  try {
    // Identity data, and perhaps the key: other users must not read it.
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(folder)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

const patienceAtStart = 5_000
const briefly = 20
