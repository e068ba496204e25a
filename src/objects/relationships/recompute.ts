import { everything, type Filter } from '../../model/filter/filter.ts'
import { asProblem } from '../../model/problem.ts'
import type { Repository, StoredObject } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { Relations } from '../type/compiled-type.ts'
import { isHeard, type ObjectChange, type OnChange } from '../write/changes.ts'
import { record } from '../write/record.ts'
import { writeRelated } from './apply.ts'
import { conditionIn } from './conditions.ts'
import { type Changed, dependentsOf, noteDependents, pendingRecomputations, toldBy } from './dependents.ts'
import type { Dependent } from './model.ts'
import { dueTriggers, temporalTriggers } from './temporal-triggers.ts'
import { storeFilter } from './view.ts'
import type { RelatedWrite } from './wanted.ts'

export interface SettlingOptions {
  readonly repository: Repository
  readonly onChange: OnChange
  /** Undefined for a set that is not managed. */
  readonly relationsOf: (collection: string) => Relations | undefined
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  readonly now: () => number
}

/** How many dependent objects are written together. */
const pageSize = 500

/** No timer is set for longer: clocks are put right, and timers cannot be very long. */
const longestSleep = 60_000

/**
 * Looks after objects that depend on others (platform §6.4): members of a role that has changed, objects for whom a
 * condition holds now, and whoever has access for a time. Their values are computed anew; what differs is written, and is
 * carried on to other systems as any change is. What is to be done is in the store: a server that starts goes on with it.
 * Failures are logged, for whoever caused the change has his answer already.
 */
export class Settling implements AsyncDisposable {
  readonly #options: SettlingOptions
  #running: Promise<void> | undefined
  #again = false
  #timer: NodeJS.Timeout | undefined
  #next = Number.POSITIVE_INFINITY
  #passing: Promise<void> = Promise.resolve()
  #started = false
  #closed = false

  constructor(options: SettlingOptions) {
    this.#options = options
  }

  /** What a server before this one has left, and from then on whatever time brings. */
  async start(): Promise<void> {
    this.#started = true
    await this.settle(ownWork)
    await this.#keepTime()
  }

  /** If somebody is at it already, he takes what is noted now as well: nobody waits for one who may be waiting for him. */
  async settle(request: RequestContext): Promise<void> {
    this.#again = true
    if (this.#running || this.#closed) return
    this.#running = this.#settleAll(request).finally(() => {
      this.#running = undefined
    })
    await this.#running
  }

  expect(due: number): void {
    if (due < this.#next) this.#sleepUntil(due)
  }

  /** Computes objects anew, in pages; what differs is written and carried on. `force`: whether it differs or not. */
  async refresh(
    collection: string,
    ids: readonly string[],
    request: RequestContext,
    force?: RelatedWrite['force'],
  ): Promise<void> {
    for (let start = 0; start < ids.length && !this.#closed; start += pageSize)
      await this.#refreshPage(collection, ids.slice(start, start + pageSize), request, force)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    await this.#passing
  }

  #keepTime(): Promise<void> {
    this.#passing = this.#passing.then(() => this.#passBoundaries())
    return this.#passing
  }

  async #settleAll(request: RequestContext): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false
      try {
        await this.#settleNoted(request)
      } catch (error) {
        this.#options.log(
          'error',
          `dependent objects: ${asProblem(error).message}; they are looked after later`,
        )
        return
      }
    }
  }

  async #settleNoted(request: RequestContext): Promise<void> {
    const { objects } = this.#options.repository
    for (;;) {
      const { result } = await objects.query(pendingRecomputations, { filter: everything, pageSize: 100 })
      for (const note of result) {
        if (this.#closed) return
        await this.#lookAfter(changedIn(note), request)
        await objects.write(pendingRecomputations, [{ operation: 'delete', id: note._id }])
      }
      if (result.length === 0) return
    }
  }

  async #lookAfter(change: Changed, request: RequestContext): Promise<void> {
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
    for (const name of toldBy(relations.model, change)) await this.#tell(relations, change, name, request)
  }

  /** Against the chain, from the object that changed to those that depend on it. */
  async #dependentIds(
    change: Changed,
    { chain, byCondition, collection, properties }: Dependent,
  ): Promise<readonly string[]> {
    const { relationships } = this.#options.repository
    let to = { collection: change.collection, ids: [change.id] as readonly string[] }
    for (const step of chain.toReversed()) {
      const ids = await relationships.reaching(step, to)
      to = { collection: step.collection, ids }
    }
    return byCondition ? [...to.ids, ...(await this.#matching(change, collection, properties))] : to.ids
  }

  /** For whom the condition of the changed object holds now. */
  async #matching(
    change: Changed,
    collection: string,
    properties: ReadonlySet<string> | undefined,
  ): Promise<readonly string[]> {
    const { repository, relationsOf } = this.#options
    const [field = ''] = properties ?? []
    const changed = (await repository.objects.read(change.collection, [change.id])).get(change.id)
    const condition = conditionIn(changed?.[field])
    const relations = relationsOf(collection)
    if (!condition || !relations) return []
    return this.#idsOf(collection, await storeFilter(repository, relations, condition))
  }

  async #idsOf(collection: string, filter: Filter): Promise<readonly string[]> {
    const ids: string[] = []
    let cookie: string | null | undefined
    while (cookie !== null) {
      const page = await this.#options.repository.objects.query(collection, {
        ...{ filter, pageSize },
        ...(cookie !== undefined && { cookie }),
      })
      for (const { _id } of page.result) ids.push(_id)
      cookie = page.cookie
    }
    return ids
  }

  /** Other ends that do not themselves depend on the object are told that it has changed. */
  async #tell(relations: Relations, change: Changed, name: string, request: RequestContext): Promise<void> {
    const found = await this.#options.repository.relationships.of(change.collection, [change.id], {
      properties: [name],
    })
    const others = (found.get(change.id) ?? []).map(({ other }) => other)
    for (const [collection, ends] of Map.groupBy(others, (end) => end.collection)) {
      const type = relations.model.types.get(collection)
      const depends = (property: string) =>
        type?.collected.some(({ paths }) => paths.some(([first]) => first === property))
      const told = ends.filter(({ property }) => type && !depends(property)).map(({ id }) => id)
      await this.refresh(collection, [...new Set(told)], request, 'tell')
    }
  }

  async #refreshPage(
    collection: string,
    ids: readonly string[],
    request: RequestContext,
    force: RelatedWrite['force'],
  ): Promise<void> {
    const { repository, relationsOf, onChange } = this.#options
    const relations = relationsOf(collection)
    if (!relations) return
    const listens = (set: string) => isHeard(onChange, set, request)
    const { page, changes } = await repository.transaction(async (store) => {
      const stored = await store.objects.read(collection, ids)
      const writes = [...stored.values()].map((object) => ({
        ...{ write: { operation: 'update' as const, id: object._id, content: { ...object } }, force },
      }))
      const page = await writeRelated(store, relations, writes, { listens, whole: listens(collection) })
      const own = page.outcomes.flatMap(({ change }) => change ?? [])
      const changes = [...own, ...page.others]
      await record(store, changes, { onChange, request, typeOf: relations.services.typeOf })
      return { page, changes }
    })
    for (const { result } of page.outcomes)
      if (!result.ok) this.#options.log('warn', `${collection}: ${asProblem(result.error).message}`)
    if (page.pendingRecomputations) this.#again = true
    if (page.due !== undefined) this.expect(page.due)
    await this.#carryOn(
      changes.filter(({ path }) => listens(path)),
      request,
    )
  }

  async #carryOn(changes: readonly ObjectChange[], request: RequestContext): Promise<void> {
    if (changes.length === 0) return
    const { afterwards, ...chain } = request.chain ?? {}
    try {
      await this.#options.onChange.notify(changes, { ...request, chain })
    } catch (error) {
      this.#options.log('error', `${changes[0]?.path}: ${asProblem(error).message}`)
    }
  }

  /** Access that begins or ends by time alone. */
  async #passBoundaries(): Promise<void> {
    if (this.#closed || !this.#started) return
    this.#next = Number.POSITIVE_INFINITY
    const { repository, relationsOf, now, log } = this.#options
    try {
      for (;;) {
        const { due, next } = await dueTriggers(repository, now(), 100)
        for (const { key, collection, id } of due) {
          if (this.#closed) return
          const relations = relationsOf(collection)
          await repository.transaction(async (store) => {
            await store.objects.write(temporalTriggers, [{ operation: 'delete', id: key }])
            if (relations)
              await noteDependents(store, relations.model, [
                { collection, id, changed: ['temporalConstraints'] },
              ])
          })
          if (relations) await this.refresh(collection, [id], ownWork)
        }
        if (due.length > 0) await this.settle(ownWork)
        else {
          this.#sleepUntil(next ?? Number.POSITIVE_INFINITY)
          return
        }
      }
    } catch (error) {
      log('error', `temporal constraints: ${asProblem(error).message}; they are looked at again later`)
      this.#sleepUntil(now() + 1000)
    }
  }

  #sleepUntil(due: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || !this.#started) return
    this.#next = due
    const time = due - this.#options.now()
    const delay = Math.min(longestSleep, Math.max(1, Number.isFinite(time) ? time : longestSleep))
    this.#timer = setTimeout(() => this.#keepTime(), delay).unref()
  }
}

function changedIn({ collection, id, changed }: StoredObject): Changed {
  return { collection: collection as string, id: id as string, changed: changed as string[] }
}

/** On nobody's behalf. */
const ownWork: RequestContext = {
  external: false,
  userId: 'system',
  roles: ['system'],
  transactionId: 'time',
}
