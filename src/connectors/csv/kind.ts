import type { ConnectorKind } from '../kit/kind.ts'
import { CsvConnector } from './csv-connector.ts'
import { configurationSchema, csvSettings } from './settings.ts'

/** The CSV connector (platform §5.1), under the names by which existing configurations ask for it. */
export const csvKind: ConnectorKind = {
  connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
  displayName: 'CSV File Connector',
  bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
  bundleVersion: '1.5.20.0',
  alsoFollows: ['2.0.2.0'],
  configurationSchema: structuredClone(
    configurationSchema,
  ) as unknown as ConnectorKind['configurationSchema'],
  settingGroups: [{ title: 'File', settings: ['csvFile', 'headerUid', 'headerName', 'headerPassword'] }],
  create: (settings, host) => new CsvConnector(csvSettings(settings, host.projectFolder)),
}
