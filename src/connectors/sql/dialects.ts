import type { Address } from './address.ts'
import type { Dialect } from './dialect.ts'
import { mysqlDialect } from './mysql.ts'
import { postgres } from './postgres.ts'
import { sqlite } from './sqlite.ts'
import { sqlServer } from './sqlserver.ts'

export function dialectFor(address: Address): Dialect {
  switch (address.client) {
    case 'postgres':
      return postgres(address)
    case 'mysql':
      return mysqlDialect(address)
    case 'sqlite':
      return sqlite(address)
    case 'sqlserver':
      return sqlServer(address)
  }
}
