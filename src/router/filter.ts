import type { RequestContext, ResourceAction } from './resources.ts'

/** The verbs of platform specification §2. */
export type Verb = 'read' | 'query' | 'create' | 'update' | 'patch' | 'delete' | 'action'

/** What a filter may know about a request on its way to a provider. */
export interface RoutedRequest {
  readonly verb: Verb
  /** Normalized, segments still encoded. */
  readonly path: string
  readonly action?: ResourceAction | undefined
  readonly context: RequestContext
}

/** A function around every request: it lets it pass by calling `next`, or refuses it by throwing. */
export type RouterFilter = <T>(request: RoutedRequest, next: () => Promise<T>) => Promise<T>
