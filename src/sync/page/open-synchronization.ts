import { Correlator } from './correlate.ts'
import { Durations } from './durations.ts'
import { Foreseen } from './foreseen.ts'
import { mappingLinks } from './links.ts'
import { measuredLinks, measuredRules, measuredSet } from './measured.ts'
import { sourceSet, targetSet } from './object-sets.ts'
import { secretAttributes } from './secret-attributes.ts'
import type { Synchronization } from './synchronization.ts'

type Derived =
  | 'sources'
  | 'targets'
  | 'links'
  | 'foreseen'
  | 'correlator'
  | 'secrets'
  | 'until'
  | 'looksAtTargets'

interface Opening extends Omit<Synchronization, Derived> {
  /** False where it is about too few objects to read the whole target set. */
  readonly mayReadAll: boolean
  /** True where there is nothing to correlate with. */
  readonly skipsCorrelation?: boolean
  /** Where the times of its steps are kept; left out where these do not matter. */
  readonly durations?: Durations
}

/** What the steps share while one mapping runs, from the parts that differ between a run and a single object. */
export function openSynchronization({
  mayReadAll,
  skipsCorrelation = false,
  durations = new Durations(),
  ...given
}: Opening): Synchronization {
  const { resources, repository, signal } = given
  const rules = measuredRules(given.rules, durations)
  const { mapping } = rules
  const links = measuredLinks(mappingLinks(repository.links, mapping.links), durations)
  const targets = measuredSet(targetSet(resources, mapping), 'targetObjectQuery', durations)
  const sources = measuredSet(sourceSet(resources, mapping), 'sourceObjectQuery', durations)
  const shared = { rules, resources, targets, links, foreseen: new Foreseen(links) }
  return {
    ...given,
    ...shared,
    sources,
    secrets: secretAttributes({ rules, sources, targets }),
    correlator: new Correlator({
      ...shared,
      mayReadAll,
      dryRun: given.dryRun,
      skip: skipsCorrelation,
      signal,
      durations,
    }),
    until: 'shape',
    looksAtTargets: true,
  }
}
