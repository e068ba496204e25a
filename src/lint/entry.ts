import type { Place } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'

/** A mapping, a connector or a type of managed objects, and where it stands. */
export interface Entry {
  readonly name: string
  readonly document: { readonly id: string }
  /** Of `content` in the document. */
  readonly pointer: Place
  readonly content: JsonObject
}
