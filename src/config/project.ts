import type { Finding, Place } from '../model/finding.ts'
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
  readonly mappings: readonly ConfiguredEntry[]
  /** Every mapping with a name, broken ones included, so that the rest of their errors is found too. */
  readonly declaredMappings: readonly ConfiguredEntry[]
  /** The valid connectors, including disabled ones. */
  readonly connectors: readonly ConfiguredEntry[]
  /** The valid types of managed objects. */
  readonly managedObjects: readonly ConfiguredEntry[]
  /** Including those with errors. */
  readonly declaredManagedObjects: readonly ConfiguredEntry[]
  /** The files of conf/ that it was made from. */
  readonly files: readonly ConfigurationFile[]
  /** The text of a file of the project, such as a script; undefined if there is none. */
  readFile(path: string): string | undefined
  /** The files that `readFile` has been asked for so far. */
  readonly filesRead: ReadonlySet<string>
  /** Value of a property by the lookup order of platform §3.2, [D]. */
  property(name: string): Json | undefined
  /** With placeholders replaced by their properties. CONFIGURATION names those that are not defined. */
  expand(content: JsonObject): JsonObject
  /** What scripts see of the properties. */
  scriptProperty(name: string): Json | undefined
}

export interface ConfigurationFile {
  /** `provisioner.openicf/hr` of conf/provisioner.openicf-hr.json. */
  readonly id: string
  /** Relative to the project, with slashes. */
  readonly file: string
  readonly bytes: Uint8Array
}

/** A mapping, a connector or a type of managed objects, and where it came from, so that later stages can report problems in it. */
export interface ConfiguredEntry {
  /** Of a connector, the system: `hr` in `system/hr/account`. */
  readonly name: string
  readonly document: ConfigurationDocument
  /** Where `content` stands in the document: `['mappings', 0]`, or `[]` for a file of its own. */
  readonly pointer: Place
  /** With `name`, even if the file does not give it. */
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
  /** The place of a pointer in the file: the value, or its nearest existing ancestor. */
  locate(pointer: Place, what?: 'key' | 'value'): Position
}

/** Both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A finding with its place in a file. */
export interface ConfigurationProblem
  extends Position,
    Pick<Finding, 'message' | 'found' | 'allowed' | 'suggestion'> {
  readonly severity: 'error' | 'warning'
  readonly file: string
  /** RFC 6901 style text, e.g. `/mappings/0/properties/3/target`. */
  readonly pointer: string
}
