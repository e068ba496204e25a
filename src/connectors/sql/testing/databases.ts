import { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { standaloneHost } from '../../kit/host.ts'
import type { Cell, Row } from '../column.ts'
import type { Dialect, Session } from '../dialect.ts'
import { mysqlDialect } from '../mysql.ts'
import { postgres } from '../postgres.ts'
import { sqlSettings } from '../settings.ts'
import { sqlite } from '../sqlite.ts'
import { connecting, programAt, type ServerProcess, startServer, type TestDatabase } from './server.ts'

export interface TestServer extends TestDatabase {
  readonly server: ServerProcess
}

const anyTable = { table: 'any', keyColumn: 'any' }

/** `more`: further options of the server's command line. */
export async function postgresServer(more: readonly string[] = []): Promise<TestServer> {
  const bin = (name: string) => programAt(`/usr/lib/postgresql/*/bin/${name}`, 'postgresql')
  const settings = (port: number) => ({
    jdbcDriver: 'org.postgresql.Driver',
    jdbcUrlTemplate: 'jdbc:postgresql://%h:%p/%d',
    host: '127.0.0.1',
    port: String(port),
    database: 'postgres',
    user: 'tests',
    password: 'not checked',
  })
  const server = await startServer({
    account: 'postgres',
    stop: 'SIGINT',
    crash: 'SIGQUIT',
    prepare: ({ run }) =>
      run(
        bin('initdb'),
        '-D',
        'data',
        '-U',
        'tests',
        '-A',
        'trust',
        '-E',
        'UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
      ),
    command: ({ port, folder }) => [
      bin('postgres'),
      ...['-D', 'data', '-h', '127.0.0.1', '-p', String(port), '-k', folder, '-F', ...more],
      // Those who forget UTC shall notice.
      ...[
        '-c',
        'timezone=America/New_York',
        '-c',
        'max_connections=60',
        '-c',
        'wal_level=logical',
        '-c',
        'max_replication_slots=100',
        '-c',
        'max_wal_senders=0',
      ],
    ],
    isReady: (port) => answers(postgres(addressOf(settings(port)))),
  })
  return database('PostgreSQL', settings(server.port), server, postgres)
}

export async function mariadbServer(): Promise<TestServer> {
  const daemon = () => programAt('/usr/sbin/mariadbd', 'mariadb-server')
  const settings = (port: number) => ({
    jdbcDriver: 'org.mariadb.jdbc.Driver',
    jdbcUrlTemplate: 'jdbc:mariadb://%h:%p/%d',
    host: '127.0.0.1',
    port: String(port),
    database: 'test',
    user: 'tests',
    password: 'tests',
  })
  const server = await startServer({
    account: 'mysql',
    stop: 'SIGTERM',
    crash: 'SIGKILL',
    async prepare({ run, folder }) {
      daemon()
      const install = programAt('/usr/bin/mariadb-install-db', 'mariadb-server')
      await run(
        install,
        '--no-defaults',
        `--datadir=${folder}/data`,
        // As below: it starts a server.
        `--tmpdir=${folder}`,
        '--skip-test-db',
        '--auth-root-authentication-method=normal',
      )
    },
    command: ({ port, folder }) => [
      daemon(),
      '--no-defaults',
      `--datadir=${folder}/data`,
      // A server that starts removes the temporary tables of all others in the same folder.
      `--tmpdir=${folder}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${folder}/socket`,
      '--innodb-flush-log-at-trx-commit=0',
      '--default-time-zone=-05:00',
      '--skip-name-resolve',
      '--lc-messages=en_US',
    ],
    isReady: (port) => answers(mysqlDialect(addressOf({ ...settings(port), ...administrator }))),
  })
  const dialect = mysqlDialect(addressOf({ ...settings(server.port), ...administrator }))
  const session = await dialect.connect(new AbortController().signal)
  for (const sql of [
    'CREATE DATABASE test',
    "CREATE USER tests@'127.0.0.1' IDENTIFIED BY 'tests'",
    "GRANT ALL ON test.* TO tests@'127.0.0.1'",
  ])
    await session.run(sql)
  await session.close()
  return database('MariaDB', settings(server.port), server, mysqlDialect)
}

const administrator = { database: 'mysql', user: 'root', password: '' }

function addressOf(settings: JsonObject) {
  return sqlSettings({ ...anyTable, ...settings }, standaloneHost()).address
}

async function answers(dialect: Dialect): Promise<void> {
  const session = await dialect.connect(new AbortController().signal)
  await session.close()
}

async function database(
  name: 'PostgreSQL' | 'MariaDB',
  settings: JsonObject,
  server: ServerProcess,
  dialectOf: (address: ReturnType<typeof addressOf>) => Dialect,
): Promise<TestServer> {
  const dialect = dialectOf(addressOf(settings))
  const own = ownSession(dialect)
  return {
    name,
    settings,
    server,
    dialect,
    connect: connecting(settings),
    run: own.run,
    async [Symbol.asyncDispose]() {
      await own.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** The tests' own statements go through one connection: opening one takes longer than most of them. */
function ownSession(dialect: Dialect) {
  let kept: Session | undefined
  return {
    async run(sql: string, cells: readonly Cell[] = []): Promise<readonly Row[]> {
      if (!kept || kept.isClosed) kept = await dialect.connect(new AbortController().signal)
      return kept.rows(sql, cells)
    },
    close: async () => kept?.close(),
  }
}

export async function sqliteFile(): Promise<TestDatabase> {
  const temporary = temporaryFolder()
  const file = temporary.file('people.db')
  new DatabaseSync(file).close()
  const settings = { jdbcDriver: 'org.sqlite.JDBC', jdbcUrlTemplate: 'jdbc:sqlite:%d', database: file }
  const dialect = sqlite(addressOf(settings))
  const own = ownSession(dialect)
  return {
    name: 'SQLite',
    settings,
    dialect,
    connect: connecting(settings),
    run: own.run,
    async [Symbol.asyncDispose]() {
      await own.close()
      temporary[Symbol.dispose]()
    },
  }
}
