import type { Json, JsonObject } from '../model/json.ts'

/**
 * A project folder as read: every file of conf/ parsed, substituted and checked against its schema, with all problems
 * found and none thrown. A broken file or entry is left out; its neighbours stay.
 */
export interface Project {
  readonly folder: string
  readonly documents: readonly ConfigurationDocument[]
  readonly problems: readonly ConfigurationProblem[]
  /** The valid mappings in processing order: those of `sync.json`, then files of their own, ordered by `syncAfter`. */
  readonly mappings: readonly ConfiguredMapping[]
  /** Every mapping with a name, broken ones included, so that the rest of their errors is found too. */
  readonly declaredMappings: readonly ConfiguredMapping[]
  /** The valid connectors, including disabled ones. */
  readonly connectors: readonly ConfiguredConnector[]
  /** The valid types of managed objects. */
  readonly managedObjects: readonly ConfiguredManagedObject[]
  /** Including those with errors. */
  readonly declaredManagedObjects: readonly ConfiguredManagedObject[]
  /** The files of conf/ that it was made from. */
  readonly files: readonly ConfigurationFile[]
  /** The text of a file of the project, such as a script; undefined if there is none. */
  readFile(path: string): string | undefined
  /** The files that `readFile` has been asked for so far. */
  readonly filesRead: ReadonlySet<string>
  /** Value of a property by the lookup order of platform §3.2, [D]. */
  property(name: string): Json | undefined
}

export interface ConfigurationFile {
  /** `provisioner.openicf/hr` of conf/provisioner.openicf-hr.json. */
  readonly id: string
  /** Relative to the project, with slashes. */
  readonly file: string
  readonly bytes: Uint8Array
}

/** Where an entry came from, so that later stages can report problems in it. */
export interface ConfiguredMapping {
  readonly name: string
  readonly document: ConfigurationDocument
  /** Where `content` stands in the document: `['mappings', 0]`, or `[]` for a file of its own. */
  readonly pointer: readonly (string | number)[]
  /** With `name`, even if the file does not give it. */
  readonly content: JsonObject
}

export interface ConfiguredConnector {
  /** The system: `hr` in `system/hr/account`. */
  readonly name: string
  readonly enabled: boolean
  readonly document: ConfigurationDocument
  /** With `name`, even if the file does not give it. */
  readonly content: JsonObject
}

export interface ConfiguredManagedObject {
  /** The type: `user` in `managed/user`. */
  readonly name: string
  readonly document: ConfigurationDocument
  readonly pointer: readonly (string | number)[]
  readonly content: JsonObject
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
  /** The place of a pointer in the file: the value, or its nearest existing ancestor. 1-based. */
  locate(
    pointer: readonly (string | number)[],
    what?: 'key' | 'value',
  ): { readonly line: number; readonly column: number }
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
