import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { misconfigured } from '../kit/errors.ts'
import type { ConnectorHost, PoolLimits } from '../kit/kind.ts'
import {
  type Address,
  addressOf,
  clientMissing,
  clientOfDriver,
  heededParameters,
  type JdbcUrl,
  jdbcUrl,
  knownDrivers,
  knownSchemes,
} from './address.ts'
import type { configurationSchema } from './settings-schema.ts'

/** The settings of a table (platform §5.3) as the connector works with them. */
export interface SqlSettings extends ConnectionSettings {
  readonly table: string
  /** A select in its place, which can only be read; `table` is then what messages call it. */
  readonly query: string | undefined
  readonly keyColumn: string
  readonly passwordColumn: string | undefined
  readonly status: StatusColumn | undefined
  readonly changes: ChangeColumn | undefined
  /** Keys are compared, too: a column that grows does not tell what is gone. */
  readonly detectDeletes: boolean
  /** The replication slot of PostgreSQL whose log tells the changes. */
  readonly replicationSlot: string | undefined
  readonly enableEmptyString: boolean
  readonly suppressPassword: boolean
}

/** Which database, and how many connections it gets. */
export interface ConnectionSettings {
  readonly address: Address
  readonly validationQuery: string | undefined
  readonly pool: PoolLimits
}

export interface ChangeColumn {
  readonly column: string
  /** Seconds, or a difference of numbers. */
  readonly overlap: number
}

export interface StatusColumn {
  readonly column: string
  readonly enabled: string
  readonly disabled: string
  readonly standard: string
}

type Name = keyof typeof configurationSchema.properties

export function sqlSettings(configuration: JsonObject, host: ConnectorHost): SqlSettings {
  const given = new Given(configuration)
  const columns = {
    keyColumn: given.required('keyColumn'),
    passwordColumn: given.text('passwordColumn'),
    statusColumn: given.text('statusColumn'),
    changeLogColumn: given.text('changeLogColumn'),
  }
  requireDifferent(columns)
  const { keyColumn, passwordColumn, statusColumn, changeLogColumn } = columns
  const overlap = given.number('changeLogOverlap') ?? 60
  if (overlap < 0) throw invalid('changeLogOverlap', `is ${overlap}; it must not be negative`)
  const connection = connectionOf(given, host)
  return {
    ...connection,
    ...tableOrQuery(given),
    keyColumn,
    passwordColumn,
    status: statusColumn === undefined ? undefined : status(statusColumn, given),
    changes: changeLogColumn === undefined ? undefined : { column: changeLogColumn, overlap },
    replicationSlot: slot(given, connection.address, changeLogColumn),
    detectDeletes: given.flag('detectDeletes') ?? false,
    enableEmptyString: given.flag('enableEmptyString') ?? false,
    suppressPassword: given.flag('suppressPassword') ?? true,
  }
}

/** Of any configuration that names its database as that of a table does. */
export function connectionSettings(configuration: JsonObject, host: ConnectorHost): ConnectionSettings {
  return connectionOf(new Given(configuration), host)
}

function connectionOf(given: Given, host: ConnectorHost): ConnectionSettings {
  return {
    address: address(given, host),
    validationQuery: given.text('validConnectionQuery') ?? given.text('validationQuery'),
    pool: {
      max: given.number('maxActive') ?? host.pool.max,
      min: given.number('minIdle') ?? host.pool.min,
      idleTime: given.number('minEvictableIdleTimeMillis') ?? host.pool.idleTime,
      patience: given.number('maxWait') ?? host.pool.patience,
    },
  }
}

class Given {
  readonly #values: JsonObject

  constructor(values: JsonObject) {
    this.#values = values
  }

  /** Undefined if it is absent or empty. */
  text(name: Name): string | undefined {
    const value = this.#value(name)
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw invalid(name, `is ${JSON.stringify(value)}, not a text`)
    return value
  }

  required(name: Name): string {
    const value = this.text(name)
    if (value === undefined) throw invalid(name, 'is missing')
    return value
  }

  number(name: Name): number | undefined {
    const value = this.#value(name)
    if (value === undefined || value === '') return undefined
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number)) return number
    throw invalid(name, `is ${JSON.stringify(value)}, not a whole number`)
  }

  flag(name: Name): boolean | undefined {
    const value = this.#value(name)
    if (value === undefined || typeof value === 'boolean') return value
    throw invalid(name, `is ${JSON.stringify(value)}; it must be true or false`)
  }

  #value(name: Name): Json | undefined {
    return this.#values[name] ?? undefined
  }
}

function tableOrQuery(given: Given): Pick<SqlSettings, 'table' | 'query'> {
  const query = given.text('query')
  if (query === undefined) return { table: given.required('table'), query }
  if (given.text('table') !== undefined)
    throw invalid('query', 'stands in the place of table; give one of them')
  if (given.text('replicationSlot') !== undefined)
    throw invalid('replicationSlot', 'tells of tables, not of a query')
  return { table: 'the query', query }
}

function slot(given: Given, { client }: Address, changeLogColumn: string | undefined): string | undefined {
  const name = given.text('replicationSlot')
  if (name === undefined) return undefined
  if (client !== 'postgres') throw invalid('replicationSlot', 'is only for PostgreSQL')
  if (changeLogColumn !== undefined)
    throw invalid('replicationSlot', 'and changeLogColumn are two ways to find changes; give one of them')
  if (/^[a-z0-9_]{1,63}$/.test(name)) return name
  throw invalid(
    'replicationSlot',
    `is ${name}; names of slots have lower case letters, digits and underscores, 63 at most`,
  )
}

function status(column: string, given: Given): StatusColumn {
  const enabled = given.text('enabledStatusValue') ?? 'true'
  const disabled = given.text('disabledStatusValue') ?? 'false'
  if (enabled === disabled)
    throw invalid('disabledStatusValue', `is the same as enabledStatusValue: ${enabled}`)
  return { column, enabled, disabled, standard: given.text('defaultStatusValue') ?? 'true' }
}

function requireDifferent(columns: Readonly<Record<string, string | undefined>>): void {
  const users = new Map<string, string>()
  for (const [setting, column] of Object.entries(columns)) {
    if (column === undefined) continue
    const other = users.get(column.toLowerCase())
    if (other) throw invalid(setting, `names the same column as ${other}: ${column}`)
    users.set(column.toLowerCase(), setting)
  }
}

function address(given: Given, host: ConnectorHost): Address {
  if (given.text('datasource') !== undefined)
    throw invalid(
      'datasource',
      'names a data source of a Java container; give jdbcUrlTemplate or url instead',
    )
  const url = urlOf(given)
  const ignored = [...url.parameters.keys()].filter((name) => !heededParameters.has(name))
  if (ignored.length > 0)
    host.log('warn', `The URL of the database has parameters without effect: ${ignored.join(', ')}`)
  const port = given.number('port')
  const [name, user, password] = [
    given.text('host'),
    given.text('user') ?? given.text('username'),
    given.text('password'),
  ]
  const found = addressOf(
    url,
    {
      ...(name !== undefined && { host: name }),
      ...(port !== undefined && { port }),
      ...(user !== undefined && { user }),
      ...(password !== undefined && { password }),
    },
    { projectFolder: host.projectFolder, exactNames: (given.text('quoting') ?? 'NONE') !== 'NONE' },
  )
  if (found.database === '')
    throw invalid('database', 'is missing, and the URL does not name the database either')
  return found
}

/** The URL itself, or one made of the driver, host, port and database. */
function urlOf(given: Given): JdbcUrl {
  const template = given.text('url') ?? given.text('jdbcUrlTemplate')
  const driver = given.text('driverClassName') ?? given.text('jdbcDriver')
  const values = { h: given.text('host'), p: given.number('port'), d: given.text('database') }
  if (template !== undefined) {
    const text = template.replace(/%([hpd])/g, (_, letter: 'h' | 'p' | 'd') => String(values[letter] ?? ''))
    const url = jdbcUrl(text.replace(/^(jdbc:[a-z]+:\/\/[^/?]*):\//, '$1/'))
    if (url) return url
    const setting = given.text('url') === undefined ? 'jdbcUrlTemplate' : 'url'
    const missing = clientMissing(text)
    if (missing) throw invalid(setting, missing)
    throw invalid(
      setting,
      `is no URL of a database that Syncline can use; they begin with ${knownSchemes.join(', ')}`,
    )
  }
  const client = driver === undefined ? undefined : clientOfDriver(driver)
  if (client === undefined) {
    const missing = driver === undefined ? undefined : clientMissing(driver)
    if (missing) throw invalid('jdbcDriver', missing)
    const fact = driver === undefined ? 'is missing, and so is jdbcUrlTemplate' : `is ${driver}`
    throw invalid('jdbcDriver', `${fact}; Syncline can use ${knownDrivers.join(', ')}`)
  }
  return { client, host: values.h, port: values.p, database: values.d ?? '', parameters: new Map() }
}

function invalid(name: string, fact: string): Problem {
  return misconfigured(['configurationProperties', name], fact)
}
