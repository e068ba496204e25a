import type { Json } from '../model/json.ts'
import type { PlanHeader } from './plan-line.ts'

/**
 * A plan as somebody reads it who is to approve it: what is alike is one line with a count. Lines are added one by one and not
 * kept, so it may be of any size.
 */
export interface PlanDigest extends LinesDigest {
  readonly header: Omit<PlanHeader, 'checksum'>
  /** What the mappings behind would do, as a rehearsal showed; in the order in which they were told. */
  readonly behind: readonly BehindDigest[]
}

export interface BehindDigest extends LinesDigest {
  readonly mapping: string
}

/** Lines of one mapping. */
export interface LinesDigest {
  readonly writes: number
  /** What only few entries do. */
  readonly rare: readonly Rare[]
  readonly groups: readonly Group[]
  readonly refusals: readonly Refusal[]
  /** What is written may come out otherwise, or not as a whole. */
  readonly unforeseen: readonly Refusal[]
  /** Nothing to do, by situation. */
  readonly unchanged: Readonly<Record<string, number>>
}

/** Entries of one situation and action. */
export interface Group {
  readonly situation: string
  readonly action: string
  readonly count: number
  readonly attributes: readonly AttributeChanges[]
  readonly who: readonly Who[]
}

/** What happens to one attribute in a group. */
export interface AttributeChanges {
  readonly attribute: string
  readonly kind: 'added' | 'changed' | 'removed'
  readonly count: number
  /** The changes that happen more than once, or all if they are few; the most frequent first. */
  readonly same: readonly SameChange[]
  /** One of them, if each is another. */
  readonly example?: Pick<SameChange, 'before' | 'after'>
  /** How many different changes there are; beyond what is counted there are more. */
  readonly different: number
  readonly more: boolean
  readonly who: readonly Who[]
}

export interface SameChange {
  readonly before?: Json | undefined
  readonly after?: Json | undefined
  readonly count: number
  readonly who: readonly Who[]
}

/** Entries that fail for one reason. */
export interface Refusal {
  readonly reason: string
  readonly situation: string
  readonly action: string
  readonly count: number
  readonly who: readonly Who[]
}

export interface Who {
  readonly name?: string | undefined
  readonly sourceId: string | null
  readonly targetId: string | null
  /** Of what fails: what stands in the way of this one alone. */
  readonly because?: string | undefined
}

/** What only few entries of a plan do: the first thing to look at, for mistakes hide among thousands that are alike. */
export interface Rare {
  readonly situation: string
  readonly action: string
  readonly count: number
  /** Out of so many that do something of the kind. */
  readonly of: number
  readonly who: readonly Who[]
  /** Absent: it is the action itself that is rare. */
  readonly change?: Pick<AttributeChanges, 'attribute' | 'kind'> & Pick<SameChange, 'before' | 'after'>
}
