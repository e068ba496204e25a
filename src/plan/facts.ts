import type { JsonObject } from '../model/json.ts'

/**
 * The facts for a decision. Everything has been read before: the code that collects the facts does the I/O, the code that
 * assesses them does none.
 */
export interface LinkFact {
  readonly targetId: string
}

export interface Candidate {
  readonly id: string
  /** True if the target has a link of this type and qualifier already. */
  readonly linked: boolean
}

/** What the only candidate of a correlation is linked to already. */
export interface Holder {
  readonly sourceId: string
  /** The source is not there any more: its link may be carried over (engine §4.3, [D]). */
  readonly isGone: boolean
}

/** A source object exists (engine §3.2). */
export interface SourceFacts {
  readonly qualifies: boolean
  readonly link: LinkFact | undefined
  readonly targetExists: boolean
  /** What correlation found; empty when a link made correlation unnecessary, or none is configured. */
  readonly candidates: readonly Candidate[]
}

/** A source object was deleted (engine §3.3). */
export interface DeletedFacts {
  readonly link: LinkFact | undefined
  readonly targetExists: boolean
  readonly targetIsValid: boolean
  readonly oldValue: JsonObject | undefined
  /** `validSource` of the old value. */
  readonly oldValueIsValid: boolean
  /** What correlating the old value found. */
  readonly candidates: readonly Candidate[]
}

/** A target object that no source led to (engine §3.4). */
export interface TargetFacts {
  /** The target exists and `validTarget` accepts it. */
  readonly targetIsValid: boolean
  readonly linked: boolean
  readonly sourceExists: boolean
  /** `validSource` and, deliberately beyond OpenIDM, `sourceCondition`. */
  readonly sourceQualifies: boolean
}
