import type { JsonObject } from '../../model/json.ts'
import { instanceOfId } from '../document-id.ts'
import { locateIn } from '../locate.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredConnector } from '../project.ts'
import { kindOfId } from '../schemas/kinds.ts'
import { type Entries, isValid, repeatedNames } from './entry.ts'

/** The connectors, one per file (platform §4.1). */
export function connectorEntries(
  documents: readonly ConfigurationDocument[],
  fileProblems: readonly ConfigurationProblem[],
): Entries<ConfiguredConnector> {
  const declared = documents.filter(({ id }) => kindOfId(id) === 'provisioner').flatMap(connectorOf)
  const problems = locateIn(documents, repeatedNames('connector', declared.map(asEntry)))
  const all = [...fileProblems, ...problems]
  const valid = declared.filter(
    (entry) => entry.document.content !== undefined && isValid(asEntry(entry), all),
  )
  return { declared, problems, valid }
}

function connectorOf(document: ConfigurationDocument): readonly ConfiguredConnector[] {
  // A connector with errors is still declared: mappings that name it are not wrong because of it.
  const content: JsonObject | undefined = document.content ?? document.raw
  if (content === undefined) return []
  const name = typeof content.name === 'string' ? content.name : (instanceOfId(document.id) ?? '')
  return [{ name, enabled: content.enabled !== false, document, content: { ...content, name } }]
}

function asEntry(connector: ConfiguredConnector) {
  return { ...connector, pointer: [] }
}
