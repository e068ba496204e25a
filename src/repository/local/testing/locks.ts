import { temporaryStore } from '../../../testing/store.ts'
import { LocalLocks } from '../locks.ts'

/** Locks of a store of their own. */
export async function openLocks() {
  const store = await temporaryStore()
  const { repository } = store
  const opened: LocalLocks[] = []
  return {
    repository,
    locks(ttl?: number) {
      const locks = new LocalLocks(repository, ttl === undefined ? {} : { ttl })
      opened.push(locks)
      return locks
    },
    async dispose() {
      for (const locks of opened) await locks[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
