import { ForeseenValues } from '../../model/foreseen-values.ts'
import type { Problem } from '../../model/problem.ts'
import type { Store } from '../../repository/repository.ts'
import type { ObjectWriteRequest, UniqueValues } from '../../router/resources.ts'
import { mergeFailures, policyFailure } from '../policies/validator.ts'
import type { CompiledType } from '../type/compile.ts'
import { giversAmong } from './store.ts'
import { type Candidate, conflicts } from './unique.ts'

/** What a dry run asks about unique values. Undefined for a type that has none. */
export function uniqueValues(store: Store, compiled: CompiledType): UniqueValues | undefined {
  const { unique: properties, enforced, oneByOne } = compiled
  if (!enforced || properties.length === 0) return undefined
  const judge = (writes: readonly ObjectWriteRequest[], before: ForeseenValues) =>
    refusals(store, compiled, writes, before)
  return {
    properties,
    async refusals(writes, before) {
      if (!oneByOne) return judge(writes, before)
      const known = new ForeseenValues(before)
      const found: (Problem | undefined)[] = []
      for (const [place, write] of writes.entries()) {
        const [problem] = await judge([write], known)
        found.push(problem)
        if (!problem) known.set(idOf(write, place), write.operation === 'delete' ? undefined : write.content)
      }
      return found
    },
  }
}

async function refusals(
  { objects }: Store,
  compiled: CompiledType,
  writes: readonly ObjectWriteRequest[],
  before: ForeseenValues,
): Promise<readonly (Problem | undefined)[]> {
  const candidates = writes.map((write, place): Candidate | undefined =>
    write.operation === 'delete' ? undefined : { id: idOf(write, place), content: write.content },
  )
  const drafts = writes.flatMap((write) =>
    write.operation === 'create' ? [] : [{ write: { ...write, rev: undefined } }],
  )
  const failed = await conflicts(
    objects,
    compiled,
    candidates.filter((one) => one !== undefined),
    giversAmong(compiled, drafts),
    before,
  )
  return candidates.map((candidate) => {
    const failures = (candidate && failed.get(candidate)) ?? []
    return failures.length > 0 ? policyFailure(mergeFailures(failures), 'write') : undefined
  })
}

/** What has no id yet is told apart by its place. */
function idOf({ id, ...write }: ObjectWriteRequest, place: number): string {
  const own = write.operation === 'create' ? write.content._id : undefined
  return id ?? (typeof own === 'string' ? own : `new ${place}`)
}
