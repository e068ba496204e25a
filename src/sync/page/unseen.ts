import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import { Unreadable } from '../../model/unreadable.ts'
import type { ObjectSet, Resource } from '../../router/resources.ts'

/**
 * What a listing of targets leaves open. A correlation that finds nothing has found out that there is nothing only if
 * everything was looked at: otherwise a target that cannot be read would be created a second time.
 */
export class Unseen {
  readonly #entries: Unreadable[] = []
  #listing: Listing = completeListing

  get ids(): readonly string[] {
    return this.#entries.map(({ _id }) => _id)
  }

  /** The pages without what cannot be read; that is kept here. */
  async *heed(pages: ReturnType<ObjectSet['pages']>): AsyncGenerator<readonly Resource[]> {
    const heeded = heeding(pages, (listing) => {
      this.#listing = listing
    })
    for await (const page of heeded) {
      const objects: Resource[] = []
      for (const entry of page) {
        if (entry instanceof Unreadable) this.#entries.push(entry)
        else objects.push(entry)
      }
      yield objects
    }
  }

  /** Why a correlation that found nothing says nothing; undefined if it does. What is linked is somebody else's. */
  failure(isLinked: (id: string) => boolean): Problem | undefined {
    const candidate = this.#entries.find(({ _id }) => !isLinked(_id))
    if (candidate) {
      const { problem } = candidate
      const message = `correlation finds no target, but one without a link cannot be read: ${problem.message}`
      return new Problem('SYNC_FAILED', message, { cause: problem })
    }
    if (this.#listing.state === 'complete') return undefined
    const fact = `the listing of the targets is ${this.#listing.state}`
    return new Problem('SYNC_FAILED', `correlation finds no target, but ${fact}: ${this.#listing.reason}`)
  }
}
