import type { Target } from '../../model/reference.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { CompiledType } from '../managed-set.ts'
import type { RelatedType, RelationshipModel } from './model.ts'

/** What a type's objects need to be written with their relationships. */
export interface Relations {
  readonly model: RelationshipModel
  readonly type: RelatedType
  readonly surroundings: RelationSurroundings
}

export interface RelationSurroundings {
  /** ms since 1970. */
  readonly now: () => number
  /** Is there an object in a set that is not in the repository, e.g. `system/ldap/account`? */
  readonly exists: (target: Target) => Promise<boolean>
  /** The type of objects at other ends. */
  readonly typeOf: (collection: string) => CompiledType | undefined
  /** After a commit: looks after what depends on the changes from further away. */
  readonly settle: (request: RequestContext) => Promise<void>
  /** After a commit: access changes by itself at that time, ms since 1970. */
  readonly expect: (due: number) => void
}
