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

/** The schemas of `configurationProperties`, by connector name. */
export function connectorSchemas(kinds: readonly ConnectorKind[]): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    // A connector's schema is JSON Schema by the port's contract.
    kinds.map((kind) => [kind.connectorName, kind.configurationSchema as JsonSchema]),
  )
}
