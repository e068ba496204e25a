import { compileFilter } from '../../model/filter/evaluate.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { everything } from '../../model/filter/filter.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectSet, Resources } from '../../router/resources.ts'
import type { ScriptContext } from '../../scripts/engine.ts'
import type { MappingLinks } from './links.ts'
import type { Operation } from './operation.ts'
import type { Rules } from './rules.ts'
import { comparedPointers, joinable, TargetIndex } from './target-index.ts'

/**
 * Finds the targets that source objects without a link belong to (engine §6). A filter that hash
 * tables can answer exactly is a join against the target set, read once; filters whose comparison is known are
 * asked for a page in one query; everything else is the target's to answer, one query an object.
 */
export interface Correlator {
  /** Fills in `correlation` and `candidates` of every operation given. */
  correlate(operations: readonly Operation[]): Promise<void>
  /** Keeps the hash tables true while the run writes; `undefined` means absent. */
  wrote(id: string, before: JsonObject | undefined, after: JsonObject | undefined): void
  /** A dry run's own links count as made or removed, or a plan would create what the run finds. */
  planned(qualifier: string, targetId: string, linked: boolean): void
}

export interface CorrelatorOptions {
  readonly rules: Rules
  readonly resources: Resources
  readonly targets: ObjectSet
  readonly links: MappingLinks
  readonly scripts: ScriptContext
  /** False where a run is about too few objects to read the whole target set for (reconById). */
  readonly mayReadAll: boolean
  /** True if the target query returned nothing and the mapping does not want to correlate against that (engine §6.4). */
  readonly skip: boolean
  readonly signal: AbortSignal | undefined
}

/** How many filters are asked in one query: longer ones cost more to parse than they save. */
const joined = 50

export function correlator(options: CorrelatorOptions): Correlator {
  const { rules, targets, links } = options
  const planned = new Map<string, boolean>()
  let index: TargetIndex | undefined

  async function correlate(operations: readonly Operation[]): Promise<void> {
    if (rules.mapping.correlation.kind === 'none' || options.skip) return
    const questions = await ask(operations)
    await answer(questions)
    await markLinked(operations)
  }

  /** Runs the correlation rules; what a script found itself is an answer already. */
  async function ask(operations: readonly Operation[]): Promise<Question[]> {
    // A deleted object is looked for as it was (engine §3.3).
    const inputs = operations.map(({ source, oldSource, linkQualifier }) => ({
      source: source ?? oldSource,
      linkQualifier,
    }))
    const outcomes = await rules.ask('correlate', inputs, options.scripts)
    return operations.flatMap((operation, position) => {
      const outcome = outcomes[position]
      if (!outcome?.ok) {
        operation.failure = outcome?.error
        return []
      }
      const value = outcome.value as CorrelateValue
      if (value && 'objects' in value)
        setCandidates(
          operation,
          value.objects.map(({ _id }) => _id),
        )
      return value && 'filter' in value ? [{ operation, ...value }] : []
    })
  }

  async function answer(questions: readonly Question[]): Promise<void> {
    for (const question of questions) question.operation.correlation = question.filter
    const elsewhere = questions.filter(({ resourceName }) => resourceName !== targets.path)
    const here = questions.filter(({ resourceName }) => resourceName === targets.path)
    const exact = here.filter(({ filter }) => comparesExactly(filter))
    const byIndex = options.mayReadAll ? exact.filter(({ filter }) => joinable(filter)) : []
    if (byIndex.length > 0) await answerFromIndex(byIndex)
    const byPage = exact.filter((question) => !byIndex.includes(question))
    for (let start = 0; start < byPage.length; start += joined)
      await answerTogether(byPage.slice(start, start + joined))
    const alone = [...here.filter(({ filter }) => !comparesExactly(filter)), ...elsewhere]
    await inParallel(alone, Math.max(1, rules.mapping.reconciliation.taskThreads), answerAlone)
  }

  function comparesExactly(filter: Filter): boolean {
    return pointersOf(filter).every((pointer) => targets.comparison(pointer) === 'exact')
  }

  async function answerFromIndex(questions: readonly Question[]): Promise<void> {
    const wanted = distinct(questions.flatMap(({ filter }) => comparedPointers(filter)))
    if (!index?.covers(wanted)) index = await readIndex(distinct([...(index?.pointers ?? []), ...wanted]))
    // Sorted, so that a record does not depend on the order in which the run wrote.
    for (const { operation, filter } of questions) {
      setCandidates(operation, [...(index.find(filter) ?? [])].toSorted())
    }
  }

  async function readIndex(pointers: readonly Pointer[]): Promise<TargetIndex> {
    const fresh = new TargetIndex(pointers)
    for await (const page of targets.pages(
      { filter: everything, fields: pointers, pageSize: 1000 },
      options.signal,
    )) {
      for (const object of page) fresh.add(object._id, object)
    }
    return fresh
  }

  async function answerTogether(questions: readonly Question[]): Promise<void> {
    const filter: Filter = { kind: 'or', filters: questions.map((question) => question.filter) }
    const fields = distinct(questions.flatMap((question) => pointersOf(question.filter)))
    const found: JsonObject[] = []
    for await (const page of targets.pages({ filter, fields, pageSize: 500 }, options.signal))
      found.push(...page)
    for (const { operation, filter: own } of questions) {
      const mine = found.filter(compileFilter(own))
      setCandidates(
        operation,
        mine.map(({ _id }) => String(_id)),
      )
    }
  }

  async function answerAlone({ operation, filter, resourceName }: Question): Promise<void> {
    const set = resourceName === targets.path ? targets : options.resources.objectSet(resourceName)
    const ids: string[] = []
    try {
      for await (const page of set.pages({ filter, pageSize: 500 }, options.signal))
        ids.push(...page.map(({ _id }) => _id))
      setCandidates(operation, ids)
    } catch (cause) {
      // One object's question failing is that object's failure (engine §6.7), not the run's.
      operation.failure = new Problem(
        'SYNC_FAILED',
        `the correlation query failed: ${(cause as Error).message}`,
        { cause },
      )
    }
  }

  function setCandidates(operation: Operation, ids: readonly string[]): void {
    operation.candidates = ids.map((id) => ({ id, linked: false }))
  }

  /** One links query a qualifier, only for those with a single match: an ambiguous one stays ambiguous. */
  async function markLinked(operations: readonly Operation[]): Promise<void> {
    const single = operations.filter(({ candidates }) => candidates.length === 1)
    for (const [qualifier, group] of Map.groupBy(single, ({ linkQualifier }) => linkQualifier)) {
      const found = await links.ofTargets(
        qualifier,
        group.map(({ candidates }) => candidates[0]?.id as string),
      )
      for (const operation of group) {
        operation.candidates = operation.candidates.map(({ id }) => ({
          id,
          linked: planned.get(`${qualifier}\n${id}`) ?? found.has(id),
        }))
      }
    }
  }

  return {
    correlate,
    wrote(id, before, after) {
      if (before) index?.remove(id, before)
      if (after) index?.add(id, after)
    },
    planned: (qualifier, targetId, linked) => void planned.set(`${qualifier}\n${targetId}`, linked),
  }
}

interface Question {
  readonly operation: Operation
  readonly filter: Filter
  readonly resourceName: string
}

type CorrelateValue = { filter: Filter; resourceName: string } | { objects: { _id: string }[] } | null

function distinct(pointers: readonly Pointer[]): readonly Pointer[] {
  return [...new Map(pointers.map((pointer) => [printPointer(pointer), pointer])).values()]
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
}
