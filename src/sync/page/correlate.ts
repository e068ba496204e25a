import { chunks } from '../../kit/chunks.ts'
import { parallel } from '../../kit/parallel.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { everything } from '../../model/filter/filter.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { Candidate } from '../../plan/facts.ts'
import type { CorrelationQuestion } from '../../plan/question.ts'
import type { ObjectSet, Resource, Resources } from '../../router/resources.ts'
import type { Durations } from './durations.ts'
import type { Foreseen } from './foreseen.ts'
import { ForeseenContents } from './foreseen-contents.ts'
import type { MappingLink, MappingLinks } from './links.ts'
import type { Rules } from './rules.ts'
import { comparedPointers, joinable, mightMatch, TargetIndex } from './target-index.ts'
import { Unseen } from './unseen.ts'

export interface Asked {
  readonly linkQualifier: string
  readonly correlation: CorrelationQuestion
}

export interface Found {
  readonly candidates: readonly Candidate[]
  /** The link of the only candidate, if it has one. */
  readonly held?: Held | undefined
  /** One object's question failing is that object's failure (engine §6.7), not the run's. */
  readonly failure?: Problem
}

/** The source that a target is linked to, and by which link; a dry run foresees links that are not stored. */
export interface Held {
  readonly sourceId: string
  readonly link: MappingLink | undefined
}

interface CorrelatorOptions {
  readonly rules: Rules
  readonly resources: Resources
  readonly targets: ObjectSet
  readonly links: MappingLinks
  readonly foreseen: Foreseen
  /** False where a run is about too few objects to read the whole target set for (reconById). */
  readonly mayReadAll: boolean
  /** True if the target query returned nothing and the mapping does not want to correlate against that (engine §6.4). */
  readonly skip: boolean
  /** What is written is only foreseen: the target does not know it. */
  readonly dryRun: boolean
  readonly signal?: AbortSignal | undefined
  readonly durations: Durations
}

/** How many filters are asked in one query: longer ones cost more to parse than they save. */
const joined = 50

/**
 * Finds the targets of source objects without a link (engine §6). A filter that hash tables can answer exactly is a join
 * against the target set, read once; filters whose comparison is known are asked in one query a page; all others in one query
 * an object.
 */
export class Correlator {
  readonly #options: CorrelatorOptions
  #index: TargetIndex | undefined
  /** What the index has not seen. */
  #unseen: Unseen | undefined
  readonly #foreseen: ForeseenContents | undefined

  constructor(options: CorrelatorOptions) {
    this.#options = options
    if (options.dryRun && this.asks) this.#foreseen = new ForeseenContents(options.targets)
  }

  /** False where correlation is not configured, or skipped. */
  get asks(): boolean {
    return this.#options.rules.mapping.correlation.kind !== 'none' && !this.#options.skip
  }

  /** What the questions find, at their places. */
  find(asked: readonly Asked[]): Promise<readonly Found[]> {
    return this.#options.durations.time('correlationQuery', () => this.#find(asked))
  }

  async #find(asked: readonly Asked[]): Promise<readonly Found[]> {
    const answers: Answers = new Map()
    const questions: Question[] = []
    for (const one of asked) {
      const { correlation } = one
      if (correlation.kind === 'filter') questions.push({ asked: one, ...correlation })
      // What a script found itself is an answer already.
      else answers.set(one, { ids: correlation.ids })
    }
    await this.#answer(questions, answers)
    return this.#markLinked(asked, answers)
  }

  /** Keeps the hash tables true while the run writes; `undefined` means absent. */
  wrote(id: string, before: JsonObject | undefined, after: JsonObject | undefined): void {
    this.#foreseen?.wrote(id, before, after)
    if (before) this.#index?.remove(id, before)
    if (after) this.#index?.add(id, after)
  }

  async #answer(questions: readonly Question[], answers: Answers): Promise<void> {
    const { targets, rules, mayReadAll } = this.#options
    const elsewhere = questions.filter(({ resourceName }) => resourceName !== targets.path)
    const here = questions.filter(({ resourceName }) => resourceName === targets.path)
    await this.#foreseen?.learn(
      here.flatMap(({ filter }) => pointersOf(filter)),
      this.#options.signal,
    )
    const exact = here.filter(({ filter }) => this.#comparesExactly(filter))
    const byIndex = mayReadAll ? exact.filter(({ filter }) => joinable(filter)) : []
    if (byIndex.length > 0) await this.#answerFromIndex(byIndex, answers)
    const byPage = exact.filter((question) => !byIndex.includes(question))
    for (const some of chunks(byPage, joined)) await this.#answerTogether(some, answers)
    const alone = [...here.filter(({ filter }) => !this.#comparesExactly(filter)), ...elsewhere]
    await parallel(alone, Math.max(1, rules.mapping.reconciliation.taskThreads), async (question) => {
      answers.set(question.asked, await this.#answerAlone(question))
    })
  }

  #comparesExactly(filter: Filter): boolean {
    return pointersOf(filter).every((pointer) => this.#options.targets.comparison(pointer) === 'exact')
  }

  async #answerFromIndex(questions: readonly Question[], answers: Answers): Promise<void> {
    const wanted = distinct(questions.flatMap(({ filter }) => comparedPointers(filter)))
    let index = this.#index
    if (!index?.covers(wanted))
      index = await this.#readIndex(distinct([...(index?.pointers ?? []), ...wanted]))
    this.#index = index
    // Sorted, so that a record does not depend on the order in which the run wrote.
    for (const { asked, filter } of questions) {
      const ids = [...(index.find(filter) ?? [])].toSorted()
      answers.set(asked, { ids, unseen: onlyIds(filter) ? undefined : this.#unseen })
    }
  }

  async #readIndex(pointers: readonly Pointer[]): Promise<TargetIndex> {
    const { targets, signal } = this.#options
    const fresh = new TargetIndex(pointers)
    const query = { filter: everything, fields: pointers, pageSize: 1000 }
    const unseen = new Unseen()
    for await (const page of unseen.heed(targets.pages(query, signal)))
      for (const object of page) {
        const now = this.#foreseen ? this.#foreseen.now(object._id, object) : object
        if (now) fresh.add(object._id, now)
      }
    for (const [id, object] of this.#foreseen?.all ?? []) if (object) fresh.add(id, { ...object, _id: id })
    // The id of what cannot be read is known.
    for (const id of unseen.ids) fresh.add(id, { _id: id })
    this.#unseen = unseen
    return fresh
  }

  async #answerTogether(questions: readonly Question[], answers: Answers): Promise<void> {
    const { targets, signal } = this.#options
    const filter: Filter = { kind: 'or', filters: questions.map((question) => question.filter) }
    const fields = distinct(questions.flatMap((question) => pointersOf(question.filter)))
    const found: Resource[] = []
    const unseen = new Unseen()
    for await (const page of unseen.heed(targets.pages({ filter, fields, pageSize: 500 }, signal)))
      found.push(...page)
    for (const { asked, filter: own } of questions) {
      const matches = compileFilter(own)
      const ids = found.filter(matches).map(({ _id }) => _id)
      answers.set(asked, { ids: this.#foreseen?.found(ids, own, matches) ?? ids, unseen })
    }
  }

  async #answerAlone({ filter, resourceName }: Question): Promise<Answer | Problem> {
    const { targets, resources, signal } = this.#options
    const set = resourceName === targets.path ? targets : resources.objectSet(resourceName)
    const ids: string[] = []
    const unseen = new Unseen()
    try {
      for await (const page of unseen.heed(set.pages({ filter, fields: [['_id']], pageSize: 500 }, signal)))
        ids.push(...page.map(({ _id }) => _id))
      const foreseen = resourceName === targets.path ? this.#foreseen : undefined
      return { ids: foreseen?.found(ids, filter, (object) => mightMatch(filter, object)) ?? ids, unseen }
    } catch (cause) {
      const why = asProblem(cause).message
      return new Problem('SYNC_FAILED', `the correlation query failed: ${why}`, { cause })
    }
  }

  /** One links query a qualifier, only for those with a single match: an ambiguous one stays ambiguous. */
  async #markLinked(asked: readonly Asked[], answers: Answers): Promise<readonly Found[]> {
    const linked = new Map<string, ReadonlyMap<string, MappingLink>>()
    for (const [qualifier, group] of Map.groupBy(asked, ({ linkQualifier }) => linkQualifier)) {
      const ids = new Set<string>()
      for (const one of group) {
        const answer = answers.get(one)
        if (!answer || answer instanceof Problem) continue
        if (answer.ids.length === 1) ids.add(answer.ids[0] ?? '')
        else if (answer.ids.length === 0) for (const id of answer.unseen?.ids ?? []) ids.add(id)
      }
      linked.set(qualifier, await this.#options.links.ofTargets(qualifier, [...ids]))
    }
    return asked.map((one) => {
      const answer = answers.get(one) ?? { ids: [] }
      if (answer instanceof Problem) return { candidates: [], failure: answer }
      const { linkQualifier } = one
      const found = answer.ids
      const [only, ...others] = found
      const isLinked = (id: string) => linked.get(linkQualifier)?.has(id) === true
      const failure = only === undefined ? answer.unseen?.failure(isLinked) : undefined
      if (failure) return { candidates: [], failure }
      if (only === undefined || others.length > 0)
        return { candidates: found.map((id) => ({ id, linked: false })) }
      const held = this.#holderOf(linkQualifier, only, linked.get(linkQualifier)?.get(only))
      return { candidates: [{ id: only, linked: held !== undefined }], held }
    })
  }

  /** A dry run's own links count as made or removed, or a plan would create what the run finds. */
  #holderOf(qualifier: string, targetId: string, link: MappingLink | undefined): Held | undefined {
    const foreseen = this.#options.foreseen.linkedTo(qualifier, targetId)
    if (typeof foreseen === 'string') return { sourceId: foreseen, link: undefined }
    return foreseen === null || !link ? undefined : { sourceId: link.sourceId, link }
  }
}

interface Question {
  readonly asked: Asked
  readonly filter: Filter
  readonly resourceName: string
}

interface Answer {
  readonly ids: readonly string[]
  /** What was not looked at on the way. */
  readonly unseen?: Unseen | undefined
}

type Answers = Map<Asked, Answer | Problem>

/** True for filters that what cannot be read answers, too. */
function onlyIds(filter: Filter): boolean {
  return pointersOf(filter).every((pointer) => pointer.length === 1 && pointer[0] === '_id')
}

function distinct(pointers: readonly Pointer[]): readonly Pointer[] {
  return [...new Map(pointers.map((pointer) => [printPointer(pointer), pointer])).values()]
}
