import type { ObjectWriteRequest, ObjectWriteResult, RequestContext } from '../../router/resources.ts'
import type { Edits } from '../relationships/wanted.ts'

export type ManagedWrite = ObjectWriteRequest & {
  readonly patched?: ReadonlySet<string>
  /** Changes of relationships that the content does not spell out. */
  readonly edits?: Edits
}

export type Apply = (
  writes: readonly ManagedWrite[],
  request: RequestContext,
) => Promise<readonly ObjectWriteResult[]>
