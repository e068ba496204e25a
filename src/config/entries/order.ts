/** `syncAfter`: which mappings come before which (engine §2.1). */
import type { DocumentFinding } from '../../model/finding.ts'
import { notAllowed } from '../../model/nearest.ts'
import type { ConfiguredEntry } from '../project.ts'
import { findingIn } from './entry.ts'

export function orderProblems(
  contained: readonly ConfiguredEntry[],
  separate: readonly ConfiguredEntry[],
  broken: ReadonlySet<string>,
): readonly DocumentFinding[] {
  const names = [...contained, ...separate].map(({ name }) => name)
  const isKnown = (name: string) => names.includes(name) || broken.has(`mapping/${name}`)
  return [
    ...[...contained, ...separate].flatMap((mapping) => unknownNames(mapping, names, isKnown)),
    ...contained.flatMap((mapping, index) => contradictions(mapping, contained.slice(index), separate)),
    ...cycles(separate),
  ]
}

function predecessors({ content: { syncAfter } }: ConfiguredEntry): readonly string[] {
  return Array.isArray(syncAfter) ? syncAfter.filter((name) => typeof name === 'string') : []
}

function unknownNames(
  mapping: ConfiguredEntry,
  allowed: readonly string[],
  isKnown: (name: string) => boolean,
): readonly DocumentFinding[] {
  return predecessors(mapping).flatMap((found, index) => {
    if (isKnown(found)) return []
    const fact = `${JSON.stringify(found)} is not a mapping`
    return [findingIn(mapping, ['syncAfter', index], notAllowed(fact, found, allowed))]
  })
}

/** In sync.json the array order decides; a `syncAfter` that contradicts it would be silently ignored. */
function contradictions(
  mapping: ConfiguredEntry,
  fromHere: readonly ConfiguredEntry[],
  separate: readonly ConfiguredEntry[],
): readonly DocumentFinding[] {
  const later = new Set([...fromHere, ...separate].map(({ name }) => name))
  return predecessors(mapping).flatMap((found, index) => {
    if (!later.has(found)) return []
    const message = `${found} comes later: in sync.json the order of the array counts; move this mapping behind it`
    return [findingIn(mapping, ['syncAfter', index], { severity: 'warning', message, found })]
  })
}

function cycles(mappings: readonly ConfiguredEntry[]): readonly DocumentFinding[] {
  return mappings.flatMap((mapping) => {
    const cycle = cycleFrom(mapping, mappings)
    if (cycle === undefined) return []
    const message = `the order is a circle: ${cycle.join(' after ')}; remove one of these names`
    return [findingIn(mapping, ['syncAfter'], { message })]
  })
}

/** The shortest cycle through a mapping. */
function cycleFrom(
  start: ConfiguredEntry,
  mappings: readonly ConfiguredEntry[],
): readonly string[] | undefined {
  const byName = new Map(mappings.map((mapping) => [mapping.name, mapping]))
  const seen = new Set<string>()
  let paths: (readonly string[])[] = [[start.name]]
  while (paths.length > 0) {
    const steps = paths.flatMap((path) => {
      const last = byName.get(path.at(-1) ?? '')
      return last ? predecessors(last).map((name) => [...path, name]) : []
    })
    const closed = steps.find((path) => path.at(-1) === start.name)
    if (closed) return closed
    paths = steps.filter((path) => {
      const name = path.at(-1) ?? ''
      return byName.has(name) && !seen.has(name) && seen.add(name)
    })
  }
  return undefined
}

/** Predecessors first; where that leaves a choice, by name. Mappings in a cycle are already removed. */
export function inOrder(mappings: readonly ConfiguredEntry[]): readonly ConfiguredEntry[] {
  const waiting = mappings.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ordered: ConfiguredEntry[] = []
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name))
    const next = waiting.findIndex((mapping) => !predecessors(mapping).some((name) => names.has(name)))
    ordered.push(...waiting.splice(Math.max(next, 0), 1))
  }
  return ordered
}
