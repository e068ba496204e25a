import { Problem } from '../../model/problem.ts'
import { anyPolicyContext, type PolicyContext } from '../policies/built-in.ts'
import { conditionalValidator } from '../policies/conditional.ts'
import {
  noOwnPolicies,
  type OwnPolicies,
  type ScriptedPolicies,
  scriptedPolicies,
} from '../policies/scripted.ts'
import { compileValidator, mergeFailures, type Validator } from '../policies/validator.ts'
import { retrieval } from '../read/retrieval.ts'
import { visibility } from '../read/visible.ts'
import type { RelationshipModel } from '../relationships/model.ts'
import { protectedPlaces } from '../write/protected.ts'
import { propertiesWith } from '../write/unique.ts'
import type { CompiledType, RelationServices } from './compiled-type.ts'
import { type Cryptography, type Encryption, encryptionOf } from './encryption.ts'
import { compensates, noScripts, scriptedPlaces, type TypeScripts } from './scripts.ts'
import { collectionOf, type ManagedType, propertiesOf } from './type.ts'

/** What a type is compiled with. */
export interface TypeParts {
  readonly scripts: TypeScripts
  readonly cryptography: Cryptography
  /** Absent: the project defines none. */
  readonly ownPolicies?: OwnPolicies
  readonly policyContext?: PolicyContext
}

export function compileType(
  type: ManagedType,
  enforcePolicies: boolean,
  { scripts, cryptography, ownPolicies = noOwnPolicies, policyContext = anyPolicyContext }: TypeParts,
  related?: { readonly model: RelationshipModel; readonly services: RelationServices },
): CompiledType {
  const collection = collectionOf(type)
  const relatedType = related?.model.types.get(collection)
  const encryption = encryptionOf(type, cryptography)
  const ofScripts = enforcePolicies ? scriptedPolicies(type, scripts, ownPolicies, policyContext) : undefined
  return {
    type,
    collection,
    relations: related && relatedType && { ...related, type: relatedType },
    defaults: propertiesOf(type.schema).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default] as const],
    ),
    unique: enforcePolicies ? propertiesWith(type, 'unique') : [],
    noInternalUsers: enforcePolicies ? propertiesWith(type, 'no-internal-user-conflict') : [],
    validate: enforcePolicies ? validatorOf(type, policyContext) : () => [],
    scriptedPolicies: ofScripts,
    protected: protectedPlaces(type),
    scripts,
    encryption,
    oneByOne: isWrittenOneByOne(type, scripts, encryption, ofScripts),
    retrieval: retrieval(type, scripts),
    visible: visibility(type, encryption),
  }
}

const writingHooks = [
  ...['onCreate', 'onUpdate', 'onDelete', 'postCreate', 'postUpdate', 'postDelete'],
  ...['onStore', 'onValidate', 'onSync'],
]

function isWrittenOneByOne(
  type: ManagedType,
  scripts: TypeScripts,
  { encrypts }: Encryption,
  ofScripts: ScriptedPolicies | undefined,
): boolean {
  return (
    encrypts ||
    ofScripts !== undefined ||
    compensates(type) ||
    writingHooks.some(scripts.has) ||
    scriptedPlaces(type, scripts, 'onStore').length > 0 ||
    scriptedPlaces(type, scripts, 'onValidate').length > 0
  )
}

/** Everything about a value that needs neither a script nor the store. */
function validatorOf(type: ManagedType, context: PolicyContext): Validator {
  const always = compileValidator(type.schema, context)
  const conditionally = conditionalValidator(type, context)
  return (object, only) => {
    const failures = [...always(object, only), ...conditionally(object, only)]
    return failures.length > 0 ? mergeFailures(failures) : failures
  }
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
