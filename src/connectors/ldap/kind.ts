import type { ConnectorKind } from '../kit/kind.ts'
import { configurationSchema, settingGroups } from './configuration-schema.ts'
import { LdapConnector } from './ldap-connector.ts'
import { ldapSettings } from './settings.ts'

/** The LDAP connector (platform §5.2), under the names by which existing configurations ask for it. */
export const ldapKind: ConnectorKind = {
  connectorName: 'org.identityconnectors.ldap.LdapConnector',
  displayName: 'LDAP Connector',
  bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
  bundleVersion: '1.5.20.0',
  alsoFollows: ['1.4.0.0', '2.0.2.0'],
  configurationSchema: structuredClone(
    configurationSchema,
  ) as unknown as ConnectorKind['configurationSchema'],
  settingGroups,
  // A connection that broke, or a server that starts again, is no failure of a run.
  resilience: { retries: 3, firstDelay: 200, longestDelay: 5_000, breakAfter: 5, breakFor: 10_000 },
  create: (settings, host) => new LdapConnector(ldapSettings(settings, host.projectFolder, host.log), host),
}
