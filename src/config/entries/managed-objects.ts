import { isJsonObject } from '../../model/json.ts'
import { locateIn } from '../locate.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredManagedObject } from '../project.ts'
import { type Entries, isValid, repeatedNames } from './entry.ts'

/** The types of `managed.json` (platform §6.1). */
export function managedObjectEntries(
  documents: readonly ConfigurationDocument[],
  fileProblems: readonly ConfigurationProblem[],
): Entries<ConfiguredManagedObject> {
  const declared = documents.filter(({ id }) => id === 'managed').flatMap(objectsOf)
  const problems = locateIn(documents, repeatedNames('managed object', declared))
  const all = [...fileProblems, ...problems]
  return { declared, problems, valid: declared.filter((entry) => isValid(entry, all)) }
}

function objectsOf(document: ConfigurationDocument): readonly ConfiguredManagedObject[] {
  const objects = document.content?.objects
  if (!Array.isArray(objects)) return []
  return objects.flatMap((content, index) =>
    isJsonObject(content) && typeof content.name === 'string'
      ? [{ name: content.name, document, pointer: ['objects', index], content }]
      : [],
  )
}
