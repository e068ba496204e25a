import { v7 as timeOrderedId } from 'uuid'
import { copy, equal } from '../model/equality.ts'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type {
  ObjectWrite,
  ObjectWriteOutcome,
  Repository,
  Store,
  StoredObject,
} from '../repository/repository.ts'
import { project } from '../router/fields.ts'
import type { ObjectSet, ObjectWriteRequest, ObjectWriteResult } from '../router/resources.ts'
import { collectionOf, type ManagedType, propertiesOf } from './type.ts'
import { type Candidate, uniqueness, uniqueProperties } from './unique.ts'
import { compileValidator, type FailedProperty, policyFailure, type Validator } from './validator.ts'

/**
 * The objects of one managed type, a page at a time (platform specification §6.2): defaults, validation and the
 * question whether anything changes are settled for the whole page, then one repository call writes it. Single
 * objects go the same way as pages of one, so there is no second copy of the rules.
 *
 * An update that changes nothing answers the stored object and writes nothing.
 */
export interface ManagedSet extends ObjectSet {
  /** As `writeMany`; a patch names the properties it touched, and only those are validated. */
  apply(writes: readonly ManagedWrite[]): Promise<readonly ObjectWriteResult[]>
  joining(transaction: Store): ManagedSet
}

export type ManagedWrite = ObjectWriteRequest & { readonly patched?: ReadonlySet<string> }

/** What is compiled once a type. */
export interface CompiledType {
  readonly type: ManagedType
  readonly collection: string
  readonly defaults: readonly (readonly [name: string, value: Json])[]
  readonly unique: readonly string[]
  readonly validate: Validator
}

export function compileType(type: ManagedType, enforcePolicies: boolean): CompiledType {
  return {
    type,
    collection: collectionOf(type),
    defaults: propertiesOf(type.schema).flatMap(([name, property]) =>
      property.default === undefined ? [] : [[name, property.default] as const],
    ),
    unique: enforcePolicies ? uniqueProperties(type) : [],
    validate: enforcePolicies ? compileValidator(type.schema) : () => [],
  }
}

export function managedSet(repository: Repository, compiled: CompiledType): ManagedSet {
  // Between the look for duplicates and the write nobody else may write.
  const exclusively = compiled.unique.length > 0 ? repository.transaction.bind(repository) : undefined
  return setOn(repository, compiled, exclusively ?? ((work) => work(repository)))
}

type Within = <T>(work: (store: Store) => Promise<T>) => Promise<T>

function setOn(store: Store, compiled: CompiledType, within: Within): ManagedSet {
  const { collection } = compiled
  const apply = async (writes: readonly ManagedWrite[]): Promise<readonly ObjectWriteResult[]> => {
    const results: ObjectWriteResult[] = []
    for (const page of pagesOfDistinctIds(writes)) {
      results.push(...(await within((transaction) => writePage(transaction, compiled, page))))
    }
    return results
  }
  return {
    path: collection,
    async *pages({ filter, fields, pageSize }, signal) {
      let cookie: string | null | undefined
      while (cookie !== null) {
        signal?.throwIfAborted()
        const page = await store.objects.query(collection, {
          filter,
          pageSize,
          ...(cookie !== undefined && { cookie }),
        })
        if (page.result.length > 0)
          yield fields ? page.result.map((object) => project(object, fields)) : page.result
        cookie = page.cookie
      }
    },
    readMany: (ids) => store.objects.read(collection, ids),
    async writeMany(writes, request) {
      if (request.readOnly)
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to ${collection}`)
      return apply(writes)
    },
    apply,
    comparison: () => 'exact',
    idOf: ({ content }, proposed) => (typeof content._id === 'string' ? content._id : proposed),
    count: () => store.objects.count(collection),
    joining: (transaction) => setOn(transaction, compiled, (work) => work(transaction)),
  }
}

/** The next write to the same object must see the first one's result, so it begins another page. */
function pagesOfDistinctIds(writes: readonly ManagedWrite[]): readonly (readonly ManagedWrite[])[] {
  const pages: ManagedWrite[][] = []
  let ids = new Set<string>()
  for (const write of writes) {
    const id = requestedId(write)
    if (pages.length === 0 || (id !== undefined && ids.has(id))) {
      pages.push([])
      ids = new Set()
    }
    if (id !== undefined) ids.add(id)
    pages.at(-1)?.push(write)
  }
  return pages
}

function requestedId(write: ManagedWrite): string | undefined {
  if (write.operation !== 'create') return write.id
  return typeof write.content._id === 'string' ? write.content._id : write.id
}

/** What a write comes to before the repository has seen it. */
type Prepared =
  | { readonly kind: 'refused'; readonly error: Problem }
  | { readonly kind: 'unchanged'; readonly object: StoredObject }
  | { readonly kind: 'write'; readonly write: ObjectWrite }

async function writePage(
  store: Store,
  compiled: CompiledType,
  page: readonly ManagedWrite[],
): Promise<readonly ObjectWriteResult[]> {
  const stored = await storedBefore(store, compiled, page)
  const prepared = page.map((write) => prepare(compiled, write, stored))
  const checked = await refuseDuplicates(store, compiled, prepared)
  const writes = checked.flatMap((one) => (one.kind === 'write' ? [one.write] : []))
  const outcomes = writes.length > 0 ? await store.objects.write(compiled.collection, writes) : []
  const next = outcomes.values()
  return checked.map((one) => {
    if (one.kind === 'refused') return { ok: false, error: one.error }
    if (one.kind === 'unchanged') return { ok: true, object: one.object }
    return asResult(`${compiled.collection}/${one.write.id}`, next.next().value as ObjectWriteOutcome)
  })
}

async function storedBefore(
  store: Store,
  { collection }: CompiledType,
  page: readonly ManagedWrite[],
): Promise<ReadonlyMap<string, StoredObject>> {
  const ids = page.flatMap((write) => (write.operation === 'update' ? [write.id] : []))
  return ids.length > 0 ? store.objects.read(collection, ids) : new Map()
}

function prepare(
  compiled: CompiledType,
  write: ManagedWrite,
  stored: ReadonlyMap<string, StoredObject>,
): Prepared {
  switch (write.operation) {
    case 'create':
      return prepareCreate(compiled, write)
    case 'update':
      return prepareUpdate(compiled, write, stored.get(write.id))
    case 'delete':
      return { kind: 'write', write: { operation: 'delete', id: write.id, rev: write.rev } }
  }
}

function prepareCreate(compiled: CompiledType, write: ManagedWrite & { operation: 'create' }): Prepared {
  const { _id: idInBody, _rev, ...content } = write.content
  // Ids in the order of creation are neighbours in every index: inserts are half as dear as with random ones.
  const id = idInBody ?? write.id ?? timeOrderedId()
  if (typeof id !== 'string' || id === '')
    return refused('BAD_REQUEST', `${compiled.collection}: "_id" must be a text`)
  if (write.id !== undefined && write.id !== id) {
    return refused(
      'BAD_REQUEST',
      `${compiled.collection}: the path says "${write.id}", "_id" in the body says "${id}"`,
    )
  }
  for (const [name, value] of compiled.defaults) if (content[name] === undefined) content[name] = copy(value)
  return validated(compiled.validate(content), 'write', { operation: 'create', id, content })
}

function prepareUpdate(
  compiled: CompiledType,
  write: ManagedWrite & { operation: 'update' },
  stored: StoredObject | undefined,
): Prepared {
  const path = `${compiled.collection}/${write.id}`
  if (!stored) return { kind: 'refused', error: failure(path, 'missing') }
  if (write.rev !== undefined && write.rev !== stored._rev)
    return { kind: 'refused', error: failure(path, 'changed') }
  const { _id, _rev, ...content } = write.content
  if (equal({ ...content, _id: stored._id, _rev: stored._rev }, stored))
    return { kind: 'unchanged', object: stored }
  const operation = write.patched ? 'patch' : 'write'
  const update = { operation: 'update', id: write.id, rev: write.rev, content } as const
  return validated(compiled.validate(content, write.patched), operation, update)
}

function validated(
  failures: readonly FailedProperty[],
  operation: 'write' | 'patch',
  write: ObjectWrite,
): Prepared {
  return failures.length > 0
    ? { kind: 'refused', error: policyFailure(failures, operation) }
    : { kind: 'write', write }
}

async function refuseDuplicates(
  store: Store,
  { collection, unique }: CompiledType,
  prepared: readonly Prepared[],
): Promise<readonly Prepared[]> {
  if (unique.length === 0) return prepared
  const candidates = prepared.flatMap((one) => candidateOf(one) ?? [])
  const violations = await uniqueness(store.objects, collection, unique, candidates)
  return prepared.map((one) => {
    const candidate = candidateOf(one)
    const failures = candidate ? violations(candidate) : []
    return failures.length > 0 ? { kind: 'refused', error: policyFailure(failures, 'write') } : one
  })
}

function candidateOf(prepared: Prepared): Candidate | undefined {
  return prepared.kind === 'write' && prepared.write.operation !== 'delete' ? prepared.write : undefined
}

function refused(code: 'BAD_REQUEST', message: string): Prepared {
  return { kind: 'refused', error: new Problem(code, message) }
}

function asResult(path: string, outcome: ObjectWriteOutcome): ObjectWriteResult {
  return outcome.ok ? outcome : { ok: false, error: failure(path, outcome.reason) }
}

function failure(path: string, reason: 'exists' | 'missing' | 'changed'): Problem {
  switch (reason) {
    case 'exists':
      return new Problem('PRECONDITION_FAILED', `${path} exists already`)
    case 'missing':
      return new Problem('NOT_FOUND', `${path} does not exist`)
    case 'changed':
      return new Problem('PRECONDITION_FAILED', `${path} has changed since the revision given`)
  }
}
