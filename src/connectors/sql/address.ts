import { isAbsolute, resolve } from 'node:path'
import { sqlServerTls, sqlServerUrl } from './sqlserver-url.ts'

/** Where a database is, and how it is reached: what JDBC URLs and drivers mean for the native clients. */
export interface Address {
  readonly client: Client
  readonly host: string
  readonly port: number
  /** For SQLite the absolute path of the file. */
  readonly database: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** `encrypted`: the certificate is not checked. */
  readonly tls: 'off' | 'encrypted' | 'verified'
  /** Names are taken as they stand; otherwise upper and lower case may differ where the name is still clear. */
  readonly exactNames: boolean
}

export type Client = 'postgres' | 'mysql' | 'sqlite' | 'sqlserver'

const drivers: Readonly<Record<string, Client>> = {
  'org.postgresql.Driver': 'postgres',
  'com.mysql.jdbc.Driver': 'mysql',
  'com.mysql.cj.jdbc.Driver': 'mysql',
  'org.mariadb.jdbc.Driver': 'mysql',
  'org.sqlite.JDBC': 'sqlite',
  'com.microsoft.sqlserver.jdbc.SQLServerDriver': 'sqlserver',
}

const schemes: Readonly<Record<string, Client>> = {
  postgresql: 'postgres',
  mysql: 'mysql',
  mariadb: 'mysql',
  sqlite: 'sqlite',
  sqlserver: 'sqlserver',
}

const ports: Readonly<Record<Client, number>> = { postgres: 5432, mysql: 3306, sqlite: 0, sqlserver: 1433 }

export const knownDrivers = Object.keys(drivers)
export const knownSchemes = Object.keys(schemes).map((scheme) => `jdbc:${scheme}:`)

export function clientOfDriver(driver: string): Client | undefined {
  return drivers[driver]
}

/** Why there is no client for a URL or driver that many configurations have, and what to do; undefined for any other. */
export function clientMissing(text: string): string | undefined {
  return missing.find(({ pattern }) => pattern.test(text))?.fact
}

const missing = [
  {
    pattern: /^jdbc:oracle:|^oracle\./i,
    fact: 'is of Oracle, for which Syncline has no client. Reach the table through a database that it can use, such as PostgreSQL with oracle_fdw, or have it exported as CSV',
  },
  {
    pattern: /^jdbc:h2:|^org\.h2\./i,
    fact: 'is of H2, whose files only Java can read. Export the table to SQLite or CSV, or start H2 with its PostgreSQL server (-pg) and give jdbc:postgresql:',
  },
  {
    pattern: /jtds/i,
    fact: 'is of jTDS. Give a URL as the driver of Microsoft has it, jdbc:sqlserver://host:port;databaseName=name',
  },
] as const

export interface JdbcUrl {
  readonly client: Client
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string
  readonly parameters: ReadonlyMap<string, string>
}

/** Undefined for a URL of another database, or one that cannot be read. */
export function jdbcUrl(text: string): JdbcUrl | undefined {
  const [, scheme = '', rest = ''] = /^jdbc:([a-z]+):(.*)$/s.exec(text) ?? []
  const client = schemes[scheme]
  if (!client) return undefined
  if (client === 'sqlserver') {
    const url = sqlServerUrl(rest)
    return url && { client, ...url }
  }
  const [place = '', query = ''] = splitAt(rest, '?')
  const parameters = new Map(new URLSearchParams(query))
  if (client === 'sqlite') return { client, host: undefined, port: undefined, database: place, parameters }
  const match = /^(?:\/\/(\[[^\]]+\]|[^/:,]*)(?::(\d+))?\/)?([^/]*)$/.exec(place)
  if (!match) return undefined
  const [, host, port, database = ''] = match
  return {
    client,
    host: host === undefined || host === '' ? undefined : host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    database: decodeURIComponent(database),
    parameters,
  }
}

function splitAt(text: string, mark: string): readonly string[] {
  const place = text.indexOf(mark)
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)]
}

/** As the JDBC drivers understand it: `require` encrypts and checks no certificate. */
export function tlsOf(parameters: ReadonlyMap<string, string>): Address['tls'] {
  const given = (...names: readonly string[]) =>
    names.map((name) => parameters.get(name)?.toLowerCase()).find((value) => value !== undefined)
  const mode = given('sslmode', 'sslMode')?.replace('_', '-')
  if (mode?.startsWith('verify')) return 'verified'
  if (mode === 'require' || mode === 'required' || mode === 'trust') return 'encrypted'
  if (mode !== undefined) return 'off'
  if (given('verifyServerCertificate') === 'true') return 'verified'
  if (given('ssl') === 'true') return 'verified'
  return given('useSSL', 'useSsl', 'requireSSL') === 'true' ? 'encrypted' : 'off'
}

/** Parameters of a URL that are heeded; others belong to the Java driver. */
export const heededParameters: ReadonlySet<string> = new Set([
  'user',
  'password',
  'sslmode',
  'sslMode',
  'ssl',
  'useSSL',
  'useSsl',
  'requireSSL',
  'verifyServerCertificate',
  'encrypt',
  'trustServerCertificate',
])

export function addressOf(
  url: JdbcUrl,
  own: Partial<Pick<Address, 'host' | 'port' | 'user' | 'password'>>,
  { projectFolder, exactNames }: { readonly projectFolder: string; readonly exactNames: boolean },
): Address {
  const { client, parameters, database } = url
  return {
    client,
    host: url.host ?? own.host ?? 'localhost',
    port: url.port ?? own.port ?? ports[client],
    database: client === 'sqlite' && !isAbsolute(database) ? resolve(projectFolder, database) : database,
    user: own.user ?? parameters.get('user'),
    password: own.password ?? parameters.get('password'),
    tls: client === 'sqlserver' ? sqlServerTls(parameters) : tlsOf(parameters),
    exactNames,
  }
}
