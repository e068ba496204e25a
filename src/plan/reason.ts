import type { Filter } from '../model/filter/filter.ts'
import { printFilter } from '../model/filter/print.ts'
import type { Candidate, Holder } from './facts.ts'

/** The facts that an operation found before its situation was assessed. */
export interface Findings {
  readonly phase: 'source' | 'target'
  /** Source or target exists and cannot be read. */
  readonly unreadable: boolean
  /** False for a source object that is gone. */
  readonly sourceExists: boolean
  readonly qualifies: boolean
  /** `validSource` or `sourceCondition`. */
  readonly disqualifiedBy: string | undefined
  readonly link: { readonly sourceId: string; readonly targetId: string } | undefined
  readonly targetExists: boolean
  /** The query sent to the target; undefined if there was none. */
  readonly correlation: Filter | undefined
  readonly candidates: readonly Candidate[]
  /** What the only candidate is linked to already. */
  readonly holder?: Holder | undefined
  /** Target phase: `validTarget` returned false. */
  readonly targetRefused: boolean
}

/** A text that explains why an operation is in its situation (engine §3). */
export function reasonOf(findings: Findings): string {
  if (findings.unreadable) return 'an object cannot be read, so that nothing is known of it'
  return findings.phase === 'source' ? sourceReason(findings) : targetReason(findings)
}

function sourceReason(findings: Findings): string {
  const { sourceExists, qualifies, disqualifiedBy } = findings
  const about = linkReason(findings)
  if (!sourceExists) return `the source is gone; ${about}`
  return qualifies ? about : `${disqualifiedBy ?? 'a rule'} says no; ${about}`
}

function linkReason({ link, targetExists, correlation, candidates, holder }: Findings): string {
  if (link) return `linked to ${link.targetId}, which ${targetExists ? 'is there' : 'is gone'}`
  const asked = correlation ? `correlation (${printFilter(correlation)})` : 'correlation'
  const [first, ...others] = candidates
  if (!first) return correlation ? `no link, and ${asked} finds nothing` : 'no link'
  if (others.length > 0) return `no link, and ${asked} finds ${candidates.length} targets`
  if (!first.linked) return `no link, and ${asked} finds ${first.id}, which has no link`
  const to = holder ? ` to ${holder.sourceId}, which ${holder.isGone ? 'is gone' : 'is there'}` : ''
  return `no link, and ${asked} finds ${first.id}, which is linked already${to}`
}

function targetReason({
  sourceExists,
  qualifies,
  disqualifiedBy,
  link,
  targetExists,
  targetRefused,
}: Findings): string {
  if (!targetExists) return 'the target is gone'
  if (targetRefused) return 'validTarget says no'
  if (!link) return 'no source leads to it, and it has no link'
  if (!sourceExists) return `its source ${link.sourceId} is gone`
  return qualifies
    ? `linked to the source ${link.sourceId}, which is there`
    : `${disqualifiedBy ?? 'a rule'} says no to its source ${link.sourceId}`
}
