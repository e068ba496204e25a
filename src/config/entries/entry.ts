/** What mappings, connectors and managed object types have in common: named entries, some of them unusable. */
import { type DocumentFinding, isWithin, type Place, printPlace } from '../../model/finding.ts'
import type { ConfigurationDocument, ConfigurationProblem } from '../project.ts'

export interface Declared {
  readonly name: string
  readonly document: ConfigurationDocument
  readonly pointer: Place
}

/** Entries that may be used, all that were declared (a broken one still has a name), and problems between entries. */
export interface Entries<Entry> {
  readonly valid: readonly Entry[]
  readonly declared: readonly Entry[]
  readonly problems: readonly ConfigurationProblem[]
}

/** Ids of unreadable files: what is missing only because of them is not reported. */
export function brokenFiles(documents: readonly ConfigurationDocument[]): ReadonlySet<string> {
  return new Set(documents.filter(({ raw }) => raw === undefined).map(({ id }) => id))
}

/** An error for each entry with the name of an earlier one. `noun`: `mapping`. */
export function repeatedNames(noun: string, entries: readonly Declared[]): readonly DocumentFinding[] {
  const first = new Map<string, Declared>()
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
  { document, pointer }: Declared,
  place: Place,
  facts: Omit<DocumentFinding, 'document' | 'place'>,
): DocumentFinding {
  return { ...facts, document: document.id, place: [...pointer, ...place] }
}

/** True if no error is in the entry, or at a place that contains it. */
export function isValid({ document, pointer }: Declared, problems: readonly ConfigurationProblem[]): boolean {
  const place = printPlace(pointer)
  return !problems.some(
    (problem) =>
      problem.severity === 'error' &&
      problem.file === document.file &&
      (isWithin(problem.pointer, place) || isWithin(place, problem.pointer)),
  )
}
