import type { Json, JsonObject } from '../model/json.ts'

/**
 * A project folder as read: every file of conf/ parsed, substituted and checked against its schema, with all problems
 * found and none thrown. A broken file or entry is left out; its neighbours stay.
 */
export interface Project {
  readonly folder: string
  readonly documents: readonly ConfigurationDocument[]
  readonly problems: readonly ConfigurationProblem[]
  /** Value of a property by the lookup order of platform specification §3.2 [D]. */
  property(name: string): Json | undefined
}

/** `conf/provisioner.openicf-hr.json` is document `provisioner.openicf/hr`. */
export interface ConfigurationDocument {
  readonly id: string
  /** Relative to the project, e.g. `conf/sync.json`. */
  readonly file: string
  /** As written: placeholders unexpanded. Undefined if the file is not JSON. */
  readonly raw: JsonObject | undefined
  /** Expanded. Undefined if it has an error that makes all of it unusable. */
  readonly content: JsonObject | undefined
  /** The place of a pointer in the file: the value, or the nearest ancestor that is there. 1-based. */
  locate(pointer: readonly (string | number)[], what?: 'key' | 'value'): { readonly line: number; readonly column: number }
}

export interface ConfigurationProblem {
  readonly severity: 'error' | 'warning'
  readonly file: string
  readonly line: number
  readonly column: number
  /** RFC 6901 style text, e.g. `/mappings/0/properties/3/target`. */
  readonly pointer: string
  /** One sentence: what is wrong and what to do. Contains found value, allowed values and nearest name where they exist. */
  readonly message: string
  readonly found?: string | undefined
  readonly allowed?: readonly string[] | undefined
  readonly suggestion?: string | undefined
}
