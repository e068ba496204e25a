import type { JsonObject } from '../model/json.ts'
import type { PatchOperation } from '../model/patch.ts'
import type { Pointer } from '../model/pointer.ts'
import type { RequestContext, ResourceAction, ResourceQuery } from './resources.ts'

/** The verbs of platform §2. */
export const verbs = ['read', 'query', 'create', 'update', 'patch', 'delete', 'action'] as const
export type Verb = (typeof verbs)[number]

/** A request to a provider, with the input that its verb needs. */
export interface RoutedRequest {
  readonly verb: Verb
  /** Canonical: one spelling, segments still encoded. For a create, the path of the set. */
  readonly path: string
  readonly context: RequestContext
  readonly action?: ResourceAction | undefined
  /** For a create; undefined: the provider chooses the id. */
  readonly id?: string | undefined
  readonly rev?: string | undefined
  readonly content?: JsonObject | undefined
  readonly operations?: readonly PatchOperation[] | undefined
  readonly query?: ResourceQuery | undefined
  readonly fields?: readonly Pointer[] | undefined
}

/**
 * A function around every request: it passes the request on by calling `next`, perhaps changed, or refuses it by throwing.
 */
export interface RouterFilter {
  <T>(request: RoutedRequest, next: (changed?: RoutedRequest) => Promise<T>): Promise<T>
  /**
   * The verbs on a set's objects that the filter may affect. They are then never done in bulk, which would bypass the
   * filter. Absent: the filter does not affect internal requests.
   */
  concerns?(set: string): readonly Verb[]
}
