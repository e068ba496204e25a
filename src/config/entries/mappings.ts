import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { instanceOfId } from '../document-id.ts'
import { locateIn } from '../locate.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredMapping } from '../project.ts'
import { kindOfId } from '../schemas/kinds.ts'
import { type Entries, isValid, repeatedNames } from './entry.ts'
import { brokenLinkSets, linkProblems } from './links.ts'
import { type KnownObjectSets, objectSetProblems } from './object-sets.ts'
import { inOrder, orderProblems } from './order.ts'

/** The mappings in processing order (engine §2.1), with all errors between them. */
export function mappingEntries(
  documents: readonly ConfigurationDocument[],
  known: KnownObjectSets,
  fileProblems: readonly ConfigurationProblem[],
): Entries<ConfiguredMapping> {
  const contained = documents.filter(({ id }) => id === 'sync').flatMap(containedMappings)
  const separate = documents.filter(({ id }) => kindOfId(id) === 'mapping').flatMap(separateMapping)
  const declared = [...contained, ...separate]
  const problems = locateIn(documents, [
    ...repeatedNames('mapping', declared),
    ...declared.flatMap((mapping) => objectSetProblems(mapping, known)),
    ...linkProblems(declared, known.broken),
    ...orderProblems(contained, separate, known.broken),
  ])
  const usable = declared.filter((mapping) => isValid(mapping, [...fileProblems, ...problems]))
  const orphaned = locateIn(documents, brokenLinkSets(usable, declared))
  const valid = usable.filter((mapping) => isValid(mapping, orphaned))
  return {
    declared,
    problems: [...problems, ...orphaned],
    valid: [...valid.filter(isContained), ...inOrder(valid.filter((mapping) => !isContained(mapping)))],
  }
}

function isContained({ document }: ConfiguredMapping): boolean {
  return document.id === 'sync'
}

function containedMappings(document: ConfigurationDocument): readonly ConfiguredMapping[] {
  const { mappings, reconAssociation } = document.content ?? {}
  if (!Array.isArray(mappings)) return []
  // Also accepted in the container; the mapping's own wins (engine §2.2, [D]).
  const shared: JsonObject = reconAssociation === undefined ? {} : { reconAssociation }
  return mappings.flatMap((content, index) =>
    isJsonObject(content) && typeof content.name === 'string'
      ? [{ name: content.name, document, pointer: ['mappings', index], content: { ...shared, ...content } }]
      : [],
  )
}

function separateMapping(document: ConfigurationDocument): readonly ConfiguredMapping[] {
  // A mapping with errors is still declared: others may name it, and its own references are still checked.
  const content: JsonObject | undefined = document.content ?? document.raw
  const name = instanceOfId(document.id)
  return content === undefined || name === undefined
    ? []
    : [{ name, document, pointer: [], content: { ...content, name } }]
}
