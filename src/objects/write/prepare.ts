import { v7 as timeOrderedId } from 'uuid'
import { copy, equal } from '../../model/equality.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectWrite, ObjectWriteOutcome, Store, StoredObject } from '../../repository/repository.ts'
import type { ObjectWriteResult } from '../../router/resources.ts'
import { type FailedProperty, mergeFailures, policyFailure } from '../policies/validator.ts'
import type { CompiledType } from '../type/compiled-type.ts'
import { failure } from './failure.ts'
import type { ManagedWrite } from './managed-write.ts'
import { type Candidate, internalUserConflicts, uniqueness } from './unique.ts'

/** What a write comes to before the repository has seen it. */
export type Prepared =
  | { readonly kind: 'refused'; readonly error: Problem }
  | { readonly kind: 'unchanged'; readonly object: StoredObject }
  | { readonly kind: 'write'; readonly write: ObjectWrite }

export function prepare(
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

export function prepareCreate(
  compiled: CompiledType,
  write: ManagedWrite & { operation: 'create' },
): Prepared {
  const draft = draftOf(compiled, write)
  return draft instanceof Problem
    ? { kind: 'refused', error: draft }
    : validated(compiled.validate(draft.content), 'write', draft)
}

/** With an id, and with the defaults of what is absent; nothing is validated yet. */
export function draftOf(
  compiled: CompiledType,
  write: ManagedWrite & { operation: 'create' },
): (ObjectWrite & { operation: 'create' }) | Problem {
  const { _id: idInBody, _rev, ...content } = write.content
  // Ids in the order of creation are neighbours in every index: inserts are half as dear as with random ones.
  const id = idInBody ?? write.id ?? timeOrderedId()
  if (typeof id !== 'string' || id === '')
    return new Problem('BAD_REQUEST', `${compiled.collection}: "_id" must be a text`)
  if (write.id !== undefined && write.id !== id) {
    return new Problem(
      'BAD_REQUEST',
      `${compiled.collection}: the path says "${write.id}", "_id" in the body says "${id}"`,
    )
  }
  for (const [name, value] of compiled.defaults) if (content[name] === undefined) content[name] = copy(value)
  return { operation: 'create', id, content }
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
  // With relationships that is told when they are known.
  if (!compiled.relations && equal({ ...content, _id: stored._id, _rev: stored._rev }, stored))
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

export async function refuseDuplicates(
  store: Store,
  { collection, unique, noInternalUsers }: CompiledType,
  prepared: readonly Prepared[],
): Promise<readonly Prepared[]> {
  if (unique.length + noInternalUsers.length === 0) return prepared
  const candidates = prepared.flatMap((one) => candidateOf(one) ?? [])
  const violations = await uniqueness(store.objects, collection, unique, candidates)
  const conflicts = await internalUserConflicts(store.objects, noInternalUsers, candidates)
  return prepared.map((one) => {
    const candidate = candidateOf(one)
    const failures = candidate ? mergeFailures([...conflicts(candidate), ...violations(candidate)]) : []
    return failures.length > 0 ? { kind: 'refused', error: policyFailure(failures, 'write') } : one
  })
}

function candidateOf(prepared: Prepared): Candidate | undefined {
  return prepared.kind === 'write' && prepared.write.operation !== 'delete' ? prepared.write : undefined
}

export function asResult(path: string, outcome: ObjectWriteOutcome): ObjectWriteResult {
  return outcome.ok ? outcome : { ok: false, error: failure(path, outcome.reason) }
}
