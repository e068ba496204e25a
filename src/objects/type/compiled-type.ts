import type { Json } from '../../model/json.ts'
import type { Target } from '../../model/reference.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { ScriptedPolicies } from '../policies/scripted.ts'
import type { Validator } from '../policies/validator.ts'
import type { Retrieval } from '../read/retrieval.ts'
import type { Visible } from '../read/visible.ts'
import type { RelatedType, RelationshipModel } from '../relationships/model.ts'
import type { Encryption } from './encryption.ts'
import type { Step } from './places.ts'
import type { TypeScripts } from './scripts.ts'
import type { ManagedType } from './type.ts'

/** What is compiled once a type. */
export interface CompiledType {
  readonly type: ManagedType
  readonly collection: string
  readonly defaults: readonly (readonly [name: string, value: Json])[]
  readonly unique: readonly string[]
  /** Properties that must not have the name of an internal user. */
  readonly noInternalUsers: readonly string[]
  readonly validate: Validator
  /** Undefined: no policy needs a script. */
  readonly scriptedPolicies: ScriptedPolicies | undefined
  /** What must not be changed from outside without the password. */
  readonly protected: readonly (readonly Step[])[]
  readonly scripts: TypeScripts
  readonly encryption: Encryption
  /** Scripts, or encryption: objects are written one after the other, for a script may look at everything in between. */
  readonly oneByOne: boolean
  /** Undefined: no script looks at what is read. */
  readonly retrieval: Retrieval | undefined
  readonly visible: Visible
  /** Undefined where no type of the project has relationships. */
  readonly relations: Relations | undefined
}

/** What a type's objects need to be written with their relationships. */
export interface Relations {
  readonly model: RelationshipModel
  readonly type: RelatedType
  readonly services: RelationServices
}

export interface RelationServices {
  /** ms since 1970. */
  readonly now: () => number
  /** Is there an object in a set that is not in the repository, e.g. `system/ldap/account`? */
  readonly exists: (target: Target) => Promise<boolean>
  /** The type of objects at other ends. */
  readonly typeOf: (collection: string) => CompiledType | undefined
  /** After a commit: computes anew what depends on the changes from further away. */
  readonly recompute: (request: RequestContext) => Promise<void>
  /** After a commit: access changes by itself at that time, ms since 1970. */
  readonly expect: (due: number) => void
}
