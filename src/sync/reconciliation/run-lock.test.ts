import { describe, expect, it } from 'vitest'
import { LocalLocks } from '../../repository/local/locks.ts'
import { temporaryStore } from '../../testing/store.ts'
import { acquireRunLock } from './run-lock.ts'

async function openLocks() {
  const store = await temporaryStore()
  const locks = new LocalLocks(store.repository)
  return {
    locks,
    async [Symbol.asyncDispose]() {
      await locks[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

describe('the lock of a link set', () => {
  it('is held until it is released; those of other sets are free', async () => {
    await using opened = await openLocks()
    const lock = await acquireRunLock(opened.locks, 'hr_user', 'run-1')
    await expect(acquireRunLock(opened.locks, 'hr_user', 'run-2')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `hr_user is being worked on already, by run run-1 of process ${process.pid}`,
    })
    await acquireRunLock(opened.locks, 'other', 'run-3')
    await lock.release()
    await acquireRunLock(opened.locks, 'hr_user', 'run-4')
  })

  it('is not given away by its former holder', async () => {
    await using opened = await openLocks()
    const first = await acquireRunLock(opened.locks, 'hr_user', 'run-1')
    await first.release()
    await acquireRunLock(opened.locks, 'hr_user', 'run-2')
    await first.release()
    await expect(acquireRunLock(opened.locks, 'hr_user', 'run-3')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })
})
