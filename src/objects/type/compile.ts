import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Target } from '../../model/reference.ts'
import type { ObjectWriteRequest, RequestContext, Resource } from '../../router/resources.ts'
import { reachesOut } from '../../scripts/reaches-out.ts'
import type { MappingExists } from '../policies/built-in.ts'
import { conditionalValidator, type ScriptedPolicies, scriptedPolicies } from '../policies/conditional.ts'
import { noOwnPolicies, type OwnPolicies } from '../policies/project-policies.ts'
import { compileValidator, type Validator } from '../policies/validator.ts'
import { type Retrieval, retrieval } from '../read/retrieval.ts'
import { type Visible, visibility } from '../read/visible.ts'
import type { Related } from '../relationships/model.ts'
import { type Cryptography, type Encryption, encryptionOf } from './encryption.ts'
import { type Place, placesOf, type Step } from './places.ts'
import { compensates, noScripts, type ScriptedPlace, scriptedPlaces, type TypeScripts } from './scripts.ts'
import { idpRelationships } from './shipped-scripts.ts'
import { collectionOf, type ManagedType, propertiesOf, propertiesWith } from './type.ts'

/** What is compiled once a type. */
export interface CompiledType {
  readonly type: ManagedType
  readonly collection: string
  /** False: what its policies say is not asked at writes. */
  readonly enforced: boolean
  readonly defaults: readonly (readonly [name: string, value: Json])[]
  readonly unique: readonly string[]
  /** Properties that must not have the name of an internal user. */
  readonly noInternalUsers: readonly string[]
  /** Everything about a value that needs neither a script nor the store. */
  readonly validate: Validator
  /** Undefined: no policy needs a script. */
  readonly scriptedPolicies: ScriptedPolicies | undefined
  /** What is changed from outside only with the password given again (platform §6.1). */
  readonly protected: readonly (readonly Step[])[]
  readonly scripts: TypeScripts
  readonly onValidate: readonly ScriptedPlace[]
  readonly onStore: readonly ScriptedPlace[]
  readonly encryption: Encryption
  /** Lists whose order says nothing. */
  readonly unordered: readonly (readonly Step[])[]
  /** Scripts, or encryption: what is to be stored is made ready before the transaction. */
  readonly prepares: boolean
  /** Which writes are a page each: a script may look at everything in between, or has a say after the write. */
  readonly alone: Readonly<Record<ObjectWriteRequest['operation'], Alone>>
  /** Undefined: no script looks at what is read. */
  readonly retrieval: Retrieval | undefined
  readonly visible: Visible
  /** Undefined where no type of the project has relationships. */
  readonly relations: Relations | undefined
}

/** A name: of those that have a value of the property. */
export type Alone = boolean | { readonly with: string }

/** Is the write a page of its own? */
export function isAlone({ alone }: Pick<CompiledType, 'alone'>, write: ObjectWriteRequest): boolean {
  const when = alone[write.operation]
  if (typeof when === 'boolean') return when
  return write.operation === 'delete' || (write.content[when.with] ?? null) !== null
}

/** What a type's objects need to be written with their relationships. */
export interface Relations extends Related {
  readonly services: RelationServices
}

export interface RelationServices {
  /** ms since 1970. */
  readonly now: () => number
  /** An object of a set that is not in the repository, e.g. `system/ldap/account`; undefined if there is none. */
  readonly outside: (target: Target) => Promise<Resource | undefined>
  /** The type of objects at other ends. */
  readonly typeOf: (collection: string) => CompiledType | undefined
  readonly recomputation: Recomputes
}

/** What follows the commit of a write. */
export interface Recomputes {
  /** Computes anew what depends on the changes from further away. */
  recompute(request: RequestContext): Promise<void>
  /** Computes objects anew, and synchronizes differences. */
  refresh(collection: string, ids: readonly string[], request: RequestContext): Promise<void>
  /** Access changes by itself at that time, ms since 1970. */
  expect(due: number): void
}

/** What a type is compiled with. */
export interface TypeParts {
  readonly scripts: TypeScripts
  readonly cryptography: Cryptography
  /** Absent: the project defines none. */
  readonly ownPolicies?: OwnPolicies
  /** Absent: every mapping does. */
  readonly mappingExists?: MappingExists
}

export function compileType(
  type: ManagedType,
  enforced: boolean,
  { scripts, cryptography, ownPolicies = noOwnPolicies, mappingExists = () => true }: TypeParts,
  related?: Pick<Relations, 'model' | 'services'>,
): CompiledType {
  const collection = collectionOf(type)
  const relatedType = related?.model.types.get(collection)
  const places = placesOf(type)
  const encryption = encryptionOf(places, cryptography)
  const [onValidate, onStore] = [
    scriptedPlaces(places, scripts, 'onValidate'),
    scriptedPlaces(places, scripts, 'onStore'),
  ]
  const always = compileValidator(type.schema, mappingExists)
  const conditionally = conditionalValidator(places, mappingExists)
  const byScripts = scriptedPolicies(places, scripts, ownPolicies, mappingExists)
  const alone = aloneIn(type, scripts, [...onValidate, ...onStore])
  const judgesAlone = enforced && byScripts !== undefined
  return {
    ...{ type, collection, enforced, scripts, onValidate, onStore, encryption, scriptedPolicies: byScripts },
    relations: related && relatedType && { ...related, type: relatedType },
    defaults: propertiesOf(type.schema).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default] as const],
    ),
    unique: propertiesWith(type, 'unique'),
    noInternalUsers: propertiesWith(type, 'no-internal-user-conflict'),
    validate: (object, only) => [...always(object, only), ...conditionally(object, only)],
    unordered: places.filter(({ property }) => property.comparison === 'unordered').map(({ path }) => path),
    protected: places.filter(isProtected).map(({ path }) => path),
    prepares:
      encryption.encrypts ||
      judgesAlone ||
      compensates(type) ||
      writingHooks.some(scripts.has) ||
      onValidate.length + onStore.length > 0,
    alone: {
      create: judgesAlone || alone.create,
      update: judgesAlone || alone.update,
      delete: alone.delete,
    },
    retrieval: retrieval(collection, scripts, scriptedPlaces(places, scripts, 'onRetrieve')),
    visible: visibility(places, encryption),
  }
}

const writingHooks = [
  ...['onCreate', 'onUpdate', 'onDelete', 'postCreate', 'postUpdate', 'postDelete'],
  ...['onStore', 'onValidate', 'onSync'],
]

/** As far as scripts make it necessary. One that computes its object, and nothing else, can run for many at once. */
function aloneIn(
  type: ManagedType,
  scripts: TypeScripts,
  ofProperties: readonly ScriptedPlace[],
): CompiledType['alone'] {
  const reaches = (name: string) => scripts.has(name) && reachesOut(scripts.sourceOf(name) ?? 'openidm')
  const follows = compensates(type) || scripts.has('onSync')
  const shapes = [...ofProperties.map(({ script }) => script), 'onStore', 'onValidate'].some(reaches)
  return {
    create: follows || shapes || scripts.has('postCreate') || createsAlone(type, scripts),
    update: follows || shapes || reaches('onUpdate') || scripts.has('postUpdate'),
    delete: follows || reaches('onDelete') || scripts.has('postDelete'),
  }
}

function createsAlone(type: ManagedType, scripts: TypeScripts): Alone {
  if (!scripts.has('onCreate')) return false
  const source = scripts.sourceOf('onCreate') ?? 'openidm'
  if (!reachesOut(source)) return false
  const { property, source: shipped } = idpRelationships
  const others = source.replaceAll(shipped, '')
  const declared = propertiesOf(type.schema).find(([name]) => name === property)?.[1]
  // Where something else may give the object a value, it is not known beforehand whether it has one.
  const isGiven = others.includes(property) || declared?.default !== undefined
  return isGiven || reachesOut(others) ? true : { with: property }
}

/** The shipped policy `re-auth-required` means the same as `isProtected`. */
function isProtected({ property: { isProtected, policies } }: Place): boolean {
  return isProtected === true || (policies?.some(({ policyId }) => policyId === 're-auth-required') ?? false)
}

/** For types that have neither scripts nor values to encrypt. */
export const plainParts: TypeParts = {
  scripts: noScripts,
  cryptography: {
    encrypt: refuse,
    decrypt: refuse,
    hash: refuse,
    matches: refuse,
    isEncrypted: () => false,
    isHashed: () => false,
  },
}

async function refuse(): Promise<never> {
  throw new Problem('INTERNAL', 'nothing can be encrypted here: there is no key')
}
