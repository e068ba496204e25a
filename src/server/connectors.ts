import type { JsonSchema } from '../config/check/schema.ts'
import { csvKind } from '../connectors/csv/kind.ts'
import type { ConnectorKind } from '../connectors/kit/kind.ts'
import { ldapKind } from '../connectors/ldap/kind.ts'
import {
  connIdScriptedSqlKind,
  pooledScriptedKind,
  scriptedKind,
  scriptedSqlKind,
} from '../connectors/scripted/kind.ts'
import { databaseTableKind } from '../connectors/sql/kind.ts'
import { xmlKind } from '../connectors/xml/kind.ts'

/** The one file that knows every connector. */
const builtIn: readonly ConnectorKind[] = [
  csvKind,
  ldapKind,
  databaseTableKind,
  xmlKind,
  scriptedSqlKind,
  scriptedKind,
  pooledScriptedKind,
  connIdScriptedSqlKind,
]

/** The connectors of this package and `own` ones. An own connector replaces one with the same name. */
export function connectorKinds(own: readonly ConnectorKind[] = []): readonly ConnectorKind[] {
  const isReplaced = ({ connectorName }: ConnectorKind) =>
    own.some((kind) => kind.connectorName === connectorName)
  return [...builtIn.filter((kind) => !isReplaced(kind)), ...own]
}

/**
 * The schemas of `configurationProperties`, by connector name. The Java connectors take numbers and truth in quotes, and shipped
 * configurations have them so: they are taken for what they mean.
 */
export function connectorSchemas(kinds: readonly ConnectorKind[]): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    kinds.map((kind) => {
      // A connector's schema is JSON Schema by the port's contract.
      const schema = kind.configurationSchema as JsonSchema
      const properties = Object.entries(schema.properties ?? {})
      const lenient = properties.map(([name, one]) => [
        name,
        inQuotes.has(String(one.type)) ? { ...one, 'x-lenient': true } : one,
      ])
      return [kind.connectorName, { ...schema, properties: Object.fromEntries(lenient) }]
    }),
  )
}

const inQuotes: ReadonlySet<string> = new Set(['integer', 'number', 'boolean'])
