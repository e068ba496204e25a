import type { JsonObject } from '../model/json.ts'
import type { PatchOperation } from '../model/patch.ts'
import type { Pointer } from '../model/pointer.ts'
import type { RequestContext, ResourceAction, ResourceQuery } from './resources.ts'

/** The verbs of platform §2. */
export const verbs = ['read', 'query', 'create', 'update', 'patch', 'delete', 'action'] as const
export type Verb = (typeof verbs)[number]

/** A request on its way to a provider, with what its verb needs. */
export interface RoutedRequest {
  readonly verb: Verb
  /** Canonical: one spelling, segments still encoded; of a create the set. */
  readonly path: string
  readonly context: RequestContext
  readonly action?: ResourceAction | undefined
  /** Of a create: undefined leaves it to the provider. */
  readonly id?: string | undefined
  readonly rev?: string | undefined
  readonly content?: JsonObject | undefined
  readonly operations?: readonly PatchOperation[] | undefined
  readonly query?: ResourceQuery | undefined
  readonly fields?: readonly Pointer[] | undefined
}

/**
 * A function around every request: it lets it pass by calling `next`, changed if need be, or refuses it by throwing.
 */
export interface RouterFilter {
  <T>(request: RoutedRequest, next: (changed?: RoutedRequest) => Promise<T>): Promise<T>
  /**
   * The verbs of a set's objects that the filter may have to do with: those are then never done in bulk, past it. Absent:
   * it has nothing to do with requests from inside.
   */
  concerns?(set: string): readonly Verb[]
}
