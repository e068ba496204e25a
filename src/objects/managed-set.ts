import { Problem } from '../model/problem.ts'
import type { Repository, Store, StoredObject } from '../repository/repository.ts'
import { project } from '../router/fields.ts'
import type { ObjectSet } from '../router/resources.ts'
import { anySurroundings, type PolicySurroundings } from './policies/built-in.ts'
import { conditionalValidator } from './policies/conditional.ts'
import { noOwnPolicies, type OwnPolicies, scriptedPolicies } from './policies/scripted.ts'
import { compileValidator, mergeFailures, type Validator } from './policies/validator.ts'
import { retrieval } from './read/retrieval.ts'
import type { RelationshipModel } from './relationships/model.ts'
import { storeFilter, viewed } from './relationships/view.ts'
import type { CompiledType, RelationSurroundings } from './type/compiled-type.ts'
import { type Cryptography, sealing } from './type/encryption.ts'
import type { TypeScripts } from './type/scripts.ts'
import { collectionOf, type ManagedType, propertiesOf } from './type/type.ts'
import type { OnChange } from './write/changes.ts'
import type { Apply } from './write/managed-write.ts'
import { applyInPages } from './write/pages.ts'
import { protectedPlaces } from './write/protected.ts'
import { applyWithTriggers, hasTriggers } from './write/triggered.ts'
import { propertiesWith } from './write/unique.ts'

/**
 * The objects of one managed type (platform §6.2). Without triggers they are written a page at a time
 * (pages.ts), inside a transaction of the caller's if he has one; with triggers one after the other (triggered.ts), for
 * their scripts may look at, and change, everything in between. Single objects are pages of one, so there is no second copy of
 * the rules.
 */
export interface ManagedSet extends ObjectSet {
  readonly compiled: CompiledType
  /** As `writeMany`; a patch names the properties it touched, and only those are validated. */
  readonly apply: Apply
  /** As it is stored, whatever the scripts of reading make of it. */
  stored(id: string): Promise<StoredObject | undefined>
}

/** What a type needs of its surroundings. */
export interface TypeParts {
  readonly scripts: TypeScripts
  readonly cryptography: Cryptography
  /** Absent: the project defines none. */
  readonly ownPolicies?: OwnPolicies
  readonly surroundings?: PolicySurroundings
}

export function compileType(
  type: ManagedType,
  enforcePolicies: boolean,
  { scripts, cryptography, ownPolicies = noOwnPolicies, surroundings = anySurroundings }: TypeParts,
  related?: { readonly model: RelationshipModel; readonly surroundings: RelationSurroundings },
): CompiledType {
  const collection = collectionOf(type)
  const relatedType = related?.model.types.get(collection)
  return {
    type,
    collection,
    relations: related && relatedType && { ...related, type: relatedType },
    defaults: propertiesOf(type.schema).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default] as const],
    ),
    unique: enforcePolicies ? propertiesWith(type, 'unique') : [],
    noInternalUsers: enforcePolicies ? propertiesWith(type, 'no-internal-user-conflict') : [],
    validate: enforcePolicies ? validatorOf(type, surroundings) : () => [],
    scriptedPolicies: enforcePolicies
      ? scriptedPolicies(type, scripts, ownPolicies, surroundings)
      : undefined,
    protected: protectedPlaces(type),
    scripts,
    sealing: sealing(type, cryptography),
  }
}

/** Everything about a value that needs neither a script nor the store. */
function validatorOf(type: ManagedType, surroundings: PolicySurroundings): Validator {
  const always = compileValidator(type.schema, surroundings)
  const conditionally = conditionalValidator(type, surroundings)
  return (object, only) => {
    const failures = [...always(object, only), ...conditionally(object, only)]
    return failures.length > 0 ? mergeFailures(failures) : failures
  }
}

export function managedSet(repository: Repository, compiled: CompiledType, onChange: OnChange): ManagedSet {
  if (hasTriggers(compiled))
    return setOn(repository, compiled, applyWithTriggers(repository, compiled, onChange))
  const { unique, relations } = compiled
  const inPages = applyInPages(compiled, onChange, (listening) =>
    // Between the look for duplicates and the write nobody else may write; what is enlisted is kept with the change.
    unique.length > 0 || relations || listening
      ? (work) => repository.transaction(work)
      : (work) => work(repository),
  )
  const oneByOne = applyWithTriggers(repository, compiled, onChange)
  const apply: Apply = (writes, request) => (request.external ? oneByOne : inPages)(writes, request)
  return {
    ...setOn(repository, compiled, apply),
    joining: (transaction) =>
      setOn(
        transaction,
        compiled,
        applyInPages(compiled, onChange, () => (work) => work(transaction)),
      ),
  }
}

function setOn(store: Store, compiled: CompiledType, apply: Apply): ManagedSet {
  const { collection } = compiled
  const retrieve = retrieval(compiled)
  const { relations } = compiled
  const seen = async (objects: readonly StoredObject[]) =>
    relations ? viewed(store, relations, objects) : objects
  return {
    compiled,
    path: collection,
    async *pages({ filter, fields, pageSize }, signal) {
      const stored = relations ? await storeFilter(store, relations, filter) : filter
      let cookie: string | null | undefined
      while (cookie !== null) {
        signal?.throwIfAborted()
        const page = await store.objects.query(collection, {
          filter: stored,
          pageSize,
          ...(cookie !== undefined && { cookie }),
        })
        const objects = await seen(page.result)
        if (objects.length > 0) yield fields ? objects.map((object) => project(object, fields)) : objects
        cookie = page.cookie
      }
    },
    async readMany(ids) {
      const stored = await store.objects.read(collection, ids)
      const found = relations
        ? new Map((await seen([...stored.values()])).map((object) => [object._id, object]))
        : stored
      return retrieve ? new Map(await retrieve.many([...found])) : found
    },
    async writeMany(writes, request) {
      if (request.readOnly)
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to ${collection}`)
      return apply(writes, request)
    },
    apply,
    stored: async (id) => (await store.objects.read(collection, [id])).get(id),
    comparison: () => 'exact',
    idOf: ({ content }, proposed) => (typeof content._id === 'string' ? content._id : proposed),
    count: () => store.objects.count(collection),
    ...(relations && { leavesAlone: (name: string) => relations.type.properties.has(name) }),
    isSecret: (pointer) => compiled.sealing.isSecret(pointer),
  }
}
