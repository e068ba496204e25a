/** JSON Schema of `configurationProperties` (platform §5.3). Every property of the Java connector is known here. */
const text = (description: string, value?: string) => ({
  type: 'string',
  description,
  ...(value !== undefined && { default: value }),
})
const flag = (description: string, value: boolean) => ({ type: 'boolean', description, default: value })
const number = (description: string) => ({ type: 'integer', description })
const without = (reason: string) => ({ 'x-noEffect': reason })
const ofThePool = {
  description: 'Of the pool of the Java connector.',
  ...without('connections are opened when they are needed, checked when they are used, and closed when idle'),
}

export const configurationSchema = {
  type: 'object',
  required: ['keyColumn'],
  properties: {
    table: text('The table or view, with its schema if need be: `hr.people`.'),
    query: text('A SELECT in the place of `table`, e.g. with joins: its rows can be read, not written.', ''),
    keyColumn: text('The column whose value is the id of a row, and its `__NAME__`.'),
    passwordColumn: text('The column for `__PASSWORD__` and for logins. Empty: none.', ''),
    statusColumn: text('The column for `__ENABLE__`. Empty: none.', ''),
    enabledStatusValue: text('What the status column holds for an enabled account.', 'true'),
    disabledStatusValue: text('What it holds for a disabled one.', 'false'),
    defaultStatusValue: text('What a new row gets there that says nothing of its status.', 'true'),
    changeLogColumn: text(
      'A column that grows with each change of its row: a time or a number. Needed for liveSync. Empty: none.',
      '',
    ),
    detectDeletes: flag(
      'With `changeLogColumn`: liveSync compares the keys of the table with those of the last time, too, and reports rows that are gone.',
      false,
    ),
    replicationSlot: text(
      'PostgreSQL: the logical replication slot, of this table alone, whose log tells liveSync what has changed. It is made if it is not there. ' +
        'Empty: none.',
      '',
    ),
    changeLogOverlap: {
      ...number(
        'So far behind the newest change is read again, for rows that were committed late: seconds in a column of times, a ' +
          'difference in one of numbers.',
      ),
      default: 60,
    },
    user: text('The account at the database.'),
    username: text('The same as `user`.'),
    password: { ...text('Its password.'), writeOnly: true },
    host: text('Where the database runs, if the URL does not say it.'),
    port: { type: ['string', 'integer'], description: 'Its port, if the URL does not say it.' },
    database: text('The database, if the URL does not say it; for SQLite the file.'),
    jdbcDriver: text('The Java driver. It chooses the native client.'),
    driverClassName: text('The same as `jdbcDriver`.'),
    jdbcUrlTemplate: text('The JDBC URL; `%h`, `%p` and `%d` stand for host, port and database.'),
    url: text('The JDBC URL.'),
    datasource: text('A data source of a Java container. Not supported: give the URL.', ''),
    jndiProperties: {
      type: 'array',
      description: 'For `datasource`.',
      ...without('there are no data sources of a Java container; the URL says where the database is'),
    },
    quoting: {
      ...text(
        'Names are always quoted as the database wants it. With `NONE`, upper and lower case of the names given here may differ from those ' +
          'in the database; with anything else they may not.',
        'NONE',
      ),
      enum: ['NONE', 'SINGLE', 'DOUBLE', 'BACK', 'BRACKETS', ''],
    },
    enableEmptyString: flag(
      'False: an empty text is written as NULL. True: it is written as it is, and a text column that must not be NULL gets an empty text ' +
        'where there is no value.',
      false,
    ),
    rethrowAllSQLExceptions: {
      ...flag('False hides errors in the Java connector.', true),
      ...without('errors are never hidden'),
    },
    nativeTimestamps: {
      ...flag('Types of values in Java.', false),
      ...without('times are read as exact text, with all digits of a second, whatever this says'),
    },
    allNative: {
      ...flag('Types of values in Java.', false),
      ...without('values have the types of their columns, whatever this says'),
    },
    suppressPassword: flag('Readings leave the password column out, unless it is asked for by name.', true),
    validConnectionQuery: text('Run to see whether an idle connection still works.'),
    validationQuery: text('The same as `validConnectionQuery`.'),
    maxActive: number('The most connections. Default: `poolConfigOption.maxObjects`.'),
    minIdle: number('So many stay open.'),
    maxWait: number('Milliseconds to wait for a connection while all are in use.'),
    minEvictableIdleTimeMillis: number('Milliseconds after which an idle connection is closed.'),
    maxIdle: ofThePool,
    initialSize: ofThePool,
    testOnBorrow: ofThePool,
    testOnReturn: ofThePool,
    testWhileIdle: ofThePool,
    validationInterval: ofThePool,
    timeBetweenEvictionRunsMillis: ofThePool,
    removeAbandoned: ofThePool,
    removeAbandonedTimeout: ofThePool,
    logAbandoned: ofThePool,
    maxAge: ofThePool,
    jmxEnabled: ofThePool,
    jdbcInterceptors: ofThePool,
    disablePaging: {
      ...flag('Reads everything at once in the Java connector.', false),
      ...without('readings are always streams of pages'),
    },
    inclusiveSync: {
      ...flag('Reads changes with the newest stamp again.', false),
      ...without(
        'changes with equal stamps are never lost; `changeLogOverlap` says how far back is read again',
      ),
    },
  },
} as const

export const settingGroups = [
  {
    title: 'Database',
    settings: ['jdbcDriver', 'jdbcUrlTemplate', 'host', 'port', 'database', 'user', 'password'],
  },
  {
    title: 'Table',
    settings: [
      'table',
      'keyColumn',
      'passwordColumn',
      'statusColumn',
      'enabledStatusValue',
      'disabledStatusValue',
      'defaultStatusValue',
    ],
  },
  { title: 'Changes', settings: ['changeLogColumn', 'changeLogOverlap'] },
] satisfies readonly {
  readonly title: string
  readonly settings: readonly (keyof typeof configurationSchema.properties)[]
}[]
