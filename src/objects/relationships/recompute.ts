import { chunks } from '../../kit/chunks.ts'
import { pages } from '../../kit/cookies.ts'
import type { Log } from '../../kit/log.ts'
import { everything } from '../../model/filter/filter.ts'
import { asProblem } from '../../model/problem.ts'
import { idsByCollection } from '../../model/reference.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Recomputes, Relations } from '../type/compile.ts'
import { isSynchronized, type OnChange } from '../write/changes.ts'
import { record } from '../write/record.ts'
import { withoutAfterwards } from '../write/scripts.ts'
import { noteWrites, writtenIn } from '../write/take-back.ts'
import { rewriteObjects } from './apply.ts'
import { conditionIn } from './conditions.ts'
import {
  type Changed,
  dependentsOf,
  noteDependents,
  notifiedBy,
  pendingRecomputations,
} from './dependents.ts'
import { collectsAlong, constraintsProperty, type Dependent } from './model.ts'
import { removeTemporalTrigger, TemporalClock, type TemporalTrigger } from './temporal-triggers.ts'
import { storeFilter } from './view.ts'
import type { Force } from './wanted.ts'

export interface RecomputationOptions {
  readonly repository: Repository
  readonly onChange: OnChange
  /** Undefined for a set that is not managed. */
  readonly relationsOf: (collection: string) => Relations | undefined
  readonly log: Log
  readonly now: () => number
}

/** How many dependent objects are written together. */
const pageSize = 500

/**
 * Recomputes objects that depend on others (platform §6.4): members of a changed role, objects for which a condition is
 * now true, and objects with temporal access. Differences are written, and synchronized like any change. Pending
 * recomputations are in the store, recorded in the transaction of their cause, so a server that starts continues them.
 * Failures are logged, because the request that caused the change has already been answered.
 *
 *     idle ────recompute────▶ running    recomputes what is noted; at its end: idle
 *     running ─recompute────▶ again      something was noted meanwhile; at its end: running once more
 *     any ─────dispose──────▶ closed     what runs ends after the object that it is at
 *
 * A call while one is running does not wait: the running one may be waiting for the caller.
 */
export class Recomputation implements Recomputes, AsyncDisposable {
  readonly #options: RecomputationOptions
  readonly #clock: TemporalClock
  #state: 'idle' | 'running' | 'again' | 'closed' = 'idle'
  #running: Promise<void> = Promise.resolve()

  constructor(options: RecomputationOptions) {
    this.#options = options
    this.#clock = new TemporalClock({
      ...{ store: options.repository, log: options.log, now: options.now },
      pass: async (due) => {
        for (const trigger of due) if (!this.#isClosed()) await this.#pass(trigger)
        await this.recompute(ownWork)
      },
    })
  }

  /** Processes what an earlier server left, and then temporal triggers. */
  async start(): Promise<void> {
    await this.recompute(ownWork)
    await this.#clock.start()
  }

  async recompute(request: RequestContext): Promise<void> {
    if (this.#state === 'running') this.#state = 'again'
    if (this.#state !== 'idle') return
    this.#running = this.#recomputeAll(request)
    await this.#running
  }

  /** At this time access changes without a write; ms since 1970. */
  expect(due: number): void {
    this.#clock.expect(due)
  }

  /** Computes objects anew, in pages; what differs is written and synchronized. `force`: whether it differs or not. */
  async refresh(
    collection: string,
    ids: readonly string[],
    request: RequestContext,
    force?: Force,
  ): Promise<void> {
    for (const page of chunks(ids, pageSize))
      if (!this.#isClosed()) await this.#refreshPage(collection, page, request, force)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'closed'
    await this.#running
    await this.#clock[Symbol.asyncDispose]()
  }

  async #recomputeAll(request: RequestContext): Promise<void> {
    try {
      do {
        this.#state = 'running'
        await this.#recomputeNoted(request)
      } while (this.#isAgain())
    } catch (error) {
      const message = `dependent objects: ${asProblem(error).message}; they are looked after later`
      this.#options.log('error', message)
    }
    if (!this.#isClosed()) this.#state = 'idle'
  }

  /** The state may change during an await, which the compiler does not see. */
  #isAgain(): boolean {
    return this.#state === 'again'
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #recomputeNoted(request: RequestContext): Promise<void> {
    const { objects } = this.#options.repository
    for (;;) {
      const { result } = await objects.query(pendingRecomputations, { filter: everything, pageSize: 100 })
      for (const note of result) {
        if (this.#isClosed()) return
        await this.#recomputeDependents(changedIn(note), request)
        await objects.write(pendingRecomputations, [{ operation: 'delete', id: note._id }])
      }
      if (result.length === 0) return
    }
  }

  async #recomputeDependents(change: Changed, request: RequestContext): Promise<void> {
    const relations = this.#options.relationsOf(change.collection)
    if (!relations) return
    for (const [collection, dependents] of Map.groupBy(
      dependentsOf(relations.model, change),
      (dependent) => dependent.collection,
    )) {
      const ids = new Set<string>()
      for (const dependent of dependents)
        for (const id of await this.#dependentIds(change, dependent)) ids.add(id)
      await this.refresh(collection, [...ids], request)
    }
    for (const name of notifiedBy(relations.model, change))
      await this.#notify(relations, change, name, request)
  }

  /** Against the chain, from the object that changed to those that depend on it. */
  async #dependentIds(change: Changed, dependent: Dependent): Promise<readonly string[]> {
    const { chain, byCondition } = dependent
    const { relationships } = this.#options.repository
    let to: Parameters<typeof relationships.reaching>[1] = { collection: change.collection, ids: [change.id] }
    for (const step of chain.toReversed()) {
      to = { collection: step.collection, ids: await relationships.reaching(step, to) }
    }
    return byCondition ? [...to.ids, ...(await this.#matching(change, dependent))] : to.ids
  }

  /** For which the condition of the changed object holds now. */
  async #matching(change: Changed, { collection, properties }: Dependent): Promise<readonly string[]> {
    const { repository, relationsOf } = this.#options
    const [field = ''] = properties ?? []
    const changed = (await repository.objects.read(change.collection, [change.id])).get(change.id)
    const condition = conditionIn(changed?.[field])
    const relations = relationsOf(collection)
    if (!condition || !relations) return []
    const query = { filter: await storeFilter(repository, relations, condition), pageSize }
    const ids: string[] = []
    for await (const { result } of pages((from) =>
      repository.objects.query(collection, { ...query, ...from }),
    ))
      for (const { _id } of result) ids.push(_id)
    return ids
  }

  /** Other ends that do not themselves depend on the object are notified that it has changed. */
  async #notify(relations: Relations, change: Changed, name: string, request: RequestContext): Promise<void> {
    const { repository } = this.#options
    const found = await repository.relationships.of(change.collection, [change.id], { properties: [name] })
    const notified = (found.get(change.id) ?? [])
      .map(({ other }) => other)
      .filter(({ collection, property }) => {
        const type = relations.model.types.get(collection)
        return type && !collectsAlong(type, property)
      })
    for (const [collection, ids] of idsByCollection(notified))
      await this.refresh(collection, ids, request, 'notify')
  }

  async #refreshPage(
    collection: string,
    ids: readonly string[],
    request: RequestContext,
    force: Force | undefined,
  ): Promise<void> {
    const { repository, relationsOf, onChange, log } = this.#options
    const relations = relationsOf(collection)
    const compiled = relations?.services.typeOf(collection)
    if (!relations || !compiled) return
    const listens = (set: string) => isSynchronized({ onChange, request }, set)
    const page = await repository.transaction(async (store) => {
      const forces = new Map(ids.map((id) => [id, force]))
      const page = await rewriteObjects({ store, relations, isSynchronized: listens }, forces)
      await record({ compiled, onChange, request, store }, page)
      return page
    })
    noteWrites(request, writtenIn(page))
    for (const { result } of page.outcomes)
      if (!result.ok) log('warn', `${collection}: ${asProblem(result.error).message}`)
    if (page.due !== undefined) this.expect(page.due)
    const synchronized = writtenIn(page).filter(({ path }) => listens(path))
    if (synchronized.length > 0)
      await onChange
        .notify(synchronized, withoutAfterwards(request))
        .catch((error) => log('error', `${synchronized[0]?.path}: ${asProblem(error).message}`))
    if (page.pendingRecomputations) await this.recompute(request)
  }

  /** Access that begins or ends without a write. */
  async #pass(trigger: TemporalTrigger): Promise<void> {
    const { collection, id } = trigger
    const relations = this.#options.relationsOf(collection)
    await this.#options.repository.transaction(async (store) => {
      await removeTemporalTrigger(store, trigger)
      if (relations)
        await noteDependents(store, relations.model, [{ collection, id, changed: [constraintsProperty] }])
    })
    if (relations) await this.refresh(collection, [id], ownWork)
  }
}

function changedIn({ collection, id, changed }: StoredObject): Changed {
  const names = Array.isArray(changed) ? changed.map(String) : []
  return { collection: String(collection), id: String(id), changed: names }
}

/** Of the server itself. */
const ownWork: RequestContext = {
  external: false,
  userId: 'system',
  roles: ['system'],
  transactionId: 'time',
}
