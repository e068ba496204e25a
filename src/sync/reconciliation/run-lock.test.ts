import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { temporaryStore } from '../../testing/store.ts'
import { acquireRunLock } from './run-lock.ts'

describe('the lock of a link set', () => {
  it('is held until it is released; those of other sets are free', async () => {
    await using store = await temporaryStore()
    const lock = await acquireRunLock(store.repository, 'hr_user', 'run-1')
    await expect(acquireRunLock(store.repository, 'hr_user', 'run-2')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('run-1'),
    })
    await acquireRunLock(store.repository, 'other', 'run-3')
    await lock.release()
    await acquireRunLock(store.repository, 'hr_user', 'run-4')
  })

  describe('of another process', () => {
    /** Another process that has the lock, as it would describe itself. */
    async function heldElsewhere(store: Awaited<ReturnType<typeof temporaryStore>>, code: string) {
      const other = spawn(process.execPath, ['-e', code])
      await acquireRunLock(store.repository, 'hr_user', 'run-1')
      const { born: _, ...held } = (await store.repository.settings.read('reconciling.hr_user')) as JsonObject
      const holder: JsonObject = { ...held, pid: other.pid ?? 0 }
      await store.repository.settings.write('reconciling.hr_user', holder)
      return { other, holder }
    }
    const idle = 'setInterval(() => {}, 1000)'

    it('is held as long as that lives, and no longer', async () => {
      await using store = await temporaryStore()
      const { other } = await heldElsewhere(store, idle)
      await expect(acquireRunLock(store.repository, 'hr_user', 'run-2')).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      other.kill('SIGKILL')
      await once(other, 'exit')
      await acquireRunLock(store.repository, 'hr_user', 'run-3')
    })

    it.runIf(existsSync('/proc/self/stat'))(
      'is nobody’s if its number was given to a later process meanwhile',
      async () => {
        await using store = await temporaryStore()
        const { other, holder } = await heldElsewhere(store, idle)
        await store.repository.settings.write('reconciling.hr_user', { ...holder, born: '1' })
        await acquireRunLock(store.repository, 'hr_user', 'run-2')
        other.kill('SIGKILL')
        await once(other, 'exit')
      },
    )
  })

  it('of a machine that has restarted since is nobody’s', async () => {
    await using store = await temporaryStore()
    await acquireRunLock(store.repository, 'hr_user', 'run-1')
    const held = (await store.repository.settings.read('reconciling.hr_user')) as { booted: number }
    await store.repository.settings.write('reconciling.hr_user', { ...held, booted: held.booted - 3600 })
    await acquireRunLock(store.repository, 'hr_user', 'run-2')
  })

  it('of an earlier process of the same number is nobody’s, as in a container that was started again', async () => {
    await using store = await temporaryStore()
    await acquireRunLock(store.repository, 'hr_user', 'run-1')
    const held = (await store.repository.settings.read('reconciling.hr_user')) as { started: number }
    await store.repository.settings.write('reconciling.hr_user', { ...held, started: held.started - 60_000 })
    await acquireRunLock(store.repository, 'hr_user', 'run-2')
  })

  it('is not given away by whoever held it before', async () => {
    await using store = await temporaryStore()
    const first = await acquireRunLock(store.repository, 'hr_user', 'run-1')
    await first.release()
    await acquireRunLock(store.repository, 'hr_user', 'run-2')
    await first.release()
    await expect(acquireRunLock(store.repository, 'hr_user', 'run-3')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })
})
