import { pages } from '../../../kit/cookies.ts'
import type { Mapping } from '../../../mapping/mapping.ts'
import { Problem } from '../../../model/problem.ts'
import type { Link } from '../../../repository/links.ts'
import type { RunSet } from '../../../repository/run-sets.ts'
import type { SetChange, SetChanges, SyncToken } from '../../../router/resources.ts'
import { mappingLinks } from '../../page/links.ts'
import type { SyncServices } from '../../services.ts'

const pageSize = 500
/** So many changes are kept when they are read for the first time, and not read again. */
const mostKept = 5_000

interface Asked {
  readonly source: string
  readonly changes: SetChanges
  /** Null: everything there is. */
  readonly from: SyncToken | null
}

/**
 * What a liveSync has to carry on, as often as it is read: what the system tells, and what follows from it.
 *
 * A system that lists what is left does not know who was deleted; the links do. If the token is of no use any more (the log was purged,
 * the server restored, another one answers), everything is compared: all objects, and the deletion of each linked one that is not among
 * them. Deletions that are found in this way need a complete listing, and pass the brakes like any other.
 *
 * Brakes read the changes before they are carried on. A few are kept for the second time: in a system that changes all the time, another
 * reading would find others, and who was not judged has to wait. Many are read again.
 */
export class ChangeReading {
  readonly #services: SyncServices
  readonly #asked: Asked
  readonly #mostKept: number
  #compared: string | undefined
  #end: SyncToken | undefined
  /** What a whole reading has found. */
  #kept: readonly SetChange[] | undefined

  constructor(services: SyncServices, asked: Asked, most = mostKept) {
    this.#services = services
    this.#asked = asked
    this.#mostKept = most
  }

  /** Why everything is compared; undefined: it is not. Known once reading has begun. */
  get compared(): string | undefined {
    return this.#compared
  }

  async *read(): AsyncGenerator<SetChange> {
    if (this.#kept) return yield* this.#kept
    const found: SetChange[] = []
    const keep = () => {
      if (found.length <= this.#mostKept) this.#kept = found
    }
    for await (const change of this.#readAnew()) {
      if (found.length <= this.#mostKept) found.push(change)
      // Nobody asks for more after the end.
      if (change.kind === 'END' || change.kind === 'INCOMPLETE') keep()
      yield change
    }
    keep()
  }

  async *#readAnew(): AsyncGenerator<SetChange> {
    const { source, changes, from } = this.#asked
    if (this.#compared === undefined) {
      const lost = yield* this.#concluded(changes.since(from), false)
      if (lost === undefined) return
      this.#compared = lost
      this.#services.log('warn', `${source}: everything is compared: ${lost}`)
    }
    const lost = yield* this.#concluded(this.#fromTheStart(), true)
    if (lost !== undefined) throw new Problem('CONNECTOR_FAILED', `${source}: ${lost}`)
  }

  /** What changes while everything is read a second time is told from the token of the first time. */
  async *#fromTheStart(): ReturnType<SetChanges['since']> {
    for await (const change of this.#asked.changes.since(null)) {
      if (change.kind === 'END') {
        this.#end ??= change.token
        yield { kind: 'END', token: this.#end }
      } else yield 'token' in change ? { ...change, token: null } : change
    }
  }

  /** The changes, and the deletions that follow from listings; returns why nothing could be told. */
  async *#concluded(
    told: ReturnType<SetChanges['since']>,
    isListing: boolean,
  ): AsyncGenerator<SetChange, string | undefined> {
    await using known = new LinkedSources(this.#services, this.#asked.source)
    if (isListing) await known.load()
    let end: SetChange | undefined
    for await (const change of told) {
      if (change.kind === 'LOST') return change.reason
      if (change.kind === 'PRESENT') await known.leave(change.ids)
      else if (change.kind === 'END' || change.kind === 'INCOMPLETE') end = change
      else {
        if (isListing) await known.leave([change.id])
        yield change
      }
    }
    if (end?.kind !== 'INCOMPLETE')
      for await (const id of known.gone()) yield { kind: 'DELETE', id, token: null }
    if (end) yield end
    return undefined
  }
}

/** The sources that the mappings have linked, less those that are still there. */
class LinkedSources implements AsyncDisposable {
  readonly #services: SyncServices
  readonly #source: string
  readonly #sets: RunSet[] = []
  #isLoaded = false

  constructor(services: SyncServices, source: string) {
    this.#services = services
    this.#source = source
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const set of this.#sets) await set[Symbol.asyncDispose]()
  }

  async load(): Promise<void> {
    if (this.#isLoaded) return
    this.#isLoaded = true
    const mappings = this.#services.mappings()
    for (const mapping of mappings)
      if (mapping.source === this.#source && mapping.changes.enabled && mapping.links.enabled)
        this.#sets.push(await this.#linkedBy(mapping))
  }

  async leave(ids: readonly string[]): Promise<void> {
    await this.load()
    for (const set of this.#sets) await set.handle(ids)
  }

  /** Each once, whichever mappings have linked it. */
  async *gone(): AsyncGenerator<string> {
    const told = new Set<string>()
    for (const set of this.#sets)
      for await (const page of set.remaining(pageSize))
        for (const id of page) {
          if (told.has(id)) continue
          told.add(id)
          yield id
        }
  }

  async #linkedBy({ name, links: use }: Mapping): Promise<RunSet> {
    const { repository, runSets } = this.#services
    const { view, normalSource, leftBehind } = mappingLinks(repository.links, use)
    const set = await runSets.open(`liveSync of ${this.#source}`, name, normalSource)
    const filter = { kind: 'compare', operator: 'eq', pointer: ['linkType'], value: use.type } as const
    const fetch = (from: object) => repository.links.query({ filter, pageSize, ...from })
    // A link that a source has left behind waits for a run.
    const isHeld = (link: Link) => leftBehind(view(link)) !== undefined
    for await (const { result } of pages(fetch))
      await set.add(result.filter(isHeld).map((link) => view(link).sourceId))
    return set
  }
}
