import type { ConnectorKind } from '../kit/kind.ts'
import { dialectFor } from './dialects.ts'
import { sqlSettings } from './settings.ts'
import { configurationSchema, settingGroups } from './settings-schema.ts'
import { SqlConnector } from './sql-connector.ts'

/** The database table connector (platform §5.3), under the names by which existing configurations ask for it. */
export const databaseTableKind: ConnectorKind = {
  connectorName: 'org.identityconnectors.databasetable.DatabaseTableConnector',
  displayName: 'Database Table Connector',
  bundleName: 'org.forgerock.openicf.connectors.databasetable-connector',
  bundleVersion: '1.5.20.0',
  alsoFollows: ['1.1.0.0', '2.0.2.0'],
  configurationSchema: structuredClone(
    configurationSchema,
  ) as unknown as ConnectorKind['configurationSchema'],
  settingGroups,
  create: (given, host) => {
    const settings = sqlSettings(given, host)
    return new SqlConnector(settings, dialectFor(settings.address), host)
  },
}
