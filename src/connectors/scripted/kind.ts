import type { JsonObject } from '../../model/json.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorHost, ConnectorKind } from '../kit/kind.ts'
import { Connections } from '../sql/connections.ts'
import { dialectFor } from '../sql/dialects.ts'
import { connectionSettings } from '../sql/settings.ts'
import { type Database, Operations } from './operations.ts'
import { ScriptSet } from './script-set.ts'
import { ScriptedConnector } from './scripted-connector.ts'
import { scriptedSettings } from './settings.ts'
import { plainSchema, sqlSchema } from './settings-schema.ts'

/** The connectors whose operations are scripts (platform §5.4), under the names by which existing configurations ask for them. */

interface Variant {
  readonly displayName: string
  readonly hasDatabase: boolean
}

export const scriptedSqlKind = kind('org.forgerock.openicf.connectors.scriptedsql.ScriptedSQLConnector', {
  displayName: 'Scripted SQL Connector',
  hasDatabase: true,
})

/** The same of another framework, with the same scripts. */
export const connIdScriptedSqlKind: ConnectorKind = {
  ...kind('net.tirasa.connid.bundles.db.scriptedsql.ScriptedSQLConnector', {
    displayName: 'Scripted SQL Connector (ConnId)',
    hasDatabase: true,
  }),
  bundleName: 'net.tirasa.connid.bundles.db.scriptedsql',
  bundleVersion: '2.2.8',
  alsoFollows: [],
}

export const scriptedKind = kind('org.forgerock.openicf.connectors.groovy.ScriptedConnector', {
  displayName: 'Scripted Connector',
  hasDatabase: false,
})

export const pooledScriptedKind = kind('org.forgerock.openicf.connectors.groovy.ScriptedPoolableConnector', {
  displayName: 'Scripted Poolable Connector',
  hasDatabase: false,
})

function kind(connectorName: string, variant: Variant): ConnectorKind {
  return {
    connectorName,
    displayName: variant.displayName,
    bundleName: 'org.forgerock.openicf.connectors.groovy-connector',
    bundleVersion: '1.5.20.0',
    alsoFollows: ['1.4.0.0', '2.0.2.0'],
    configurationSchema: structuredClone(
      variant.hasDatabase ? sqlSchema : plainSchema,
    ) as unknown as ConnectorKind['configurationSchema'],
    async check(given, host) {
      await using scripts = scriptsOf(given, host, variant)
      await scripts.check()
    },
    create: (given, host) => create(given, host, variant),
  }
}

function scriptsOf(given: JsonObject, host: ConnectorHost, { hasDatabase, displayName }: Variant): ScriptSet {
  if (host.scripts) return new ScriptSet(scriptedSettings(given, host), host.scripts, hasDatabase)
  throw new ConnectorError(
    'unsupported',
    `The ${displayName} needs the sandbox of a server, which is not here`,
  )
}

function create(given: JsonObject, host: ConnectorHost, variant: Variant): ScriptedConnector {
  const scripts = scriptsOf(given, host, variant)
  const database = variant.hasDatabase ? databaseOf(given, host) : undefined
  const { secrets } = scriptedSettings(given, host)
  return new ScriptedConnector({
    displayName: variant.displayName,
    scripts,
    operations: new Operations(scripts, database, secrets),
    database,
    warn: (message) => host.log('warn', message),
  })
}

function databaseOf(given: JsonObject, host: ConnectorHost): Database {
  const settings = connectionSettings(given, host)
  return {
    connections: new Connections(dialectFor(settings.address), settings, host.clock),
    client: settings.address.client,
  }
}
