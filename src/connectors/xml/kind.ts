import type { ConnectorKind } from '../kit/kind.ts'
import { configurationSchema, xmlSettings } from './settings.ts'
import { XmlConnector } from './xml-connector.ts'

/** The connector for XML files (platform §5.6), under the names by which existing configurations ask for it. */
export const xmlKind: ConnectorKind = {
  connectorName: 'org.forgerock.openicf.connectors.xml.XMLConnector',
  displayName: 'XML Connector',
  bundleName: 'org.forgerock.openicf.connectors.xml-connector',
  bundleVersion: '1.1.0.3',
  alsoFollows: ['1.1.0.2'],
  configurationSchema: structuredClone(
    configurationSchema,
  ) as unknown as ConnectorKind['configurationSchema'],
  settingGroups: [
    { title: 'File', settings: ['xmlFilePath', 'xsdFilePath', 'xsdIcfFilePath', 'createFileIfNotExists'] },
  ],
  create: (settings, host) => new XmlConnector(xmlSettings(settings, host.projectFolder)),
}
