import type { ConnectorKind } from '../../connectors/kit/kind.ts'
import { formOf, type SettingField } from '../../connectors/system/settings-form.ts'
import { connectorKinds } from '../connectors.ts'

/** A kind of connector as the command line offers it: a short name, and the settings that have options of their own. */
export interface Template {
  readonly name: string
  readonly kind: ConnectorKind
  readonly options: readonly TemplateOption[]
  /** The secret setting, and the one without which none is needed. */
  readonly secret?: { readonly setting: string; readonly beside: string }
}

export interface TemplateOption {
  /** Without dashes. */
  readonly option: string
  /** What an option is for and what it holds comes from the settings of the kind. */
  readonly field: SettingField
  /** Must be given, although the kind has a default. */
  readonly needed: boolean
}

interface Outline {
  readonly connectorName: string
  /** `option: setting`; a mark says that it must be given. */
  readonly options: Readonly<Record<string, string>>
  readonly secret?: Template['secret']
}

const outlines: Readonly<Record<string, Outline>> = {
  ldap: {
    connectorName: 'org.identityconnectors.ldap.LdapConnector',
    options: {
      host: 'host!',
      port: 'port',
      ssl: 'ssl',
      'start-tls': 'startTLS',
      trusted: 'trustedCertificates',
      base: 'baseContexts!',
      account: 'principal',
    },
    secret: { setting: 'credentials', beside: 'principal' },
  },
  table: {
    connectorName: 'org.identityconnectors.databasetable.DatabaseTableConnector',
    options: {
      url: 'jdbcUrlTemplate!',
      user: 'user',
      table: 'table!',
      key: 'keyColumn!',
      changes: 'changeLogColumn',
    },
    secret: { setting: 'password', beside: 'user' },
  },
  csv: {
    connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    options: { file: 'csvFile!', id: 'headerUid', delimiter: 'fieldDelimiter', encoding: 'encoding' },
  },
  xml: {
    connectorName: 'org.forgerock.openicf.connectors.xml.XMLConnector',
    options: { file: 'xmlFilePath!', xsd: 'xsdFilePath' },
  },
}

export const templates: readonly Template[] = Object.entries(outlines).map(([name, outline]) => {
  const kind = connectorKinds().find(({ connectorName }) => connectorName === outline.connectorName)
  if (!kind) throw new Error(`There is no connector ${outline.connectorName}`)
  const form = formOf(kind)
  const options = Object.entries(outline.options).map(([option, setting]): TemplateOption => {
    const field = form.find((one) => one.name === setting.replace('!', ''))
    if (!field) throw new Error(`${outline.connectorName} has no setting ${setting}`)
    return { option, field, needed: setting.endsWith('!') }
  })
  return { name, kind, options, ...(outline.secret && { secret: outline.secret }) }
})
