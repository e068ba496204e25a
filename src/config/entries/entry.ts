import { type DocumentFinding, isWithin, type Place, printPlace } from '../../model/finding.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredEntry } from '../project.ts'

/** Ids of unreadable files: what is missing only because of them is not reported. */
export function brokenFiles(documents: readonly ConfigurationDocument[]): ReadonlySet<string> {
  return new Set(documents.filter(({ raw }) => raw === undefined).map(({ id }) => id))
}

/** A connector is, unless it says no. */
export function isEnabled({ content }: ConfiguredEntry): boolean {
  return content.enabled !== false
}

/** An error for each entry with the name of an earlier one. `noun`: `mapping`. */
export function repeatedNames(noun: string, entries: readonly ConfiguredEntry[]): readonly DocumentFinding[] {
  const first = new Map<string, ConfiguredEntry>()
  return entries.flatMap((entry) => {
    const earlier = first.get(entry.name)
    if (earlier === undefined) {
      first.set(entry.name, entry)
      return []
    }
    const { line } = earlier.document.locate(earlier.pointer)
    const message = `the ${noun} name ${JSON.stringify(entry.name)} is taken by ${earlier.document.file}:${line}; choose another`
    return [findingIn(entry, ['name'], { message, found: entry.name })]
  })
}

/** `place` is relative to the entry. */
export function findingIn(
  { document, pointer }: ConfiguredEntry,
  place: Place,
  facts: Omit<DocumentFinding, 'document' | 'place'>,
): DocumentFinding {
  return { ...facts, document: document.id, place: [...pointer, ...place] }
}

/** True if no error is in the entry, or at a place that contains it. */
export function isValid(
  { document, pointer }: Pick<ConfiguredEntry, 'document' | 'pointer'>,
  problems: readonly ConfigurationProblem[],
): boolean {
  const place = printPlace(pointer)
  return !problems.some(
    (problem) =>
      problem.severity === 'error' &&
      problem.file === document.file &&
      (isWithin(problem.pointer, place) || isWithin(place, problem.pointer)),
  )
}
