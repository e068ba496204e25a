import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { thisProcess } from '../../kit/process.ts'
import type { JsonObject } from '../../model/json.ts'
import { locksContract } from '../contract/locks.ts'
import type { Repository } from '../repository.ts'
import { openLocks } from './testing/locks.ts'

locksContract({ name: 'of the embedded store', open: openLocks })

describe('a lease of a process of this machine that can be seen to have gone', () => {
  let opened: Awaited<ReturnType<typeof openLocks>>
  beforeEach(async () => {
    opened = await openLocks()
  })
  afterEach(() => opened.dispose())

  const take = (repository: Repository, process: JsonObject) =>
    repository.leases.take({ name: 'a', owner: 'run-1', process, ttl: 60_000 })
  const holder = () => opened.locks().holder('a')

  /** A process that has the lease, as it would describe itself. */
  async function heldElsewhere(more: JsonObject = {}) {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const { born: _, ...described } = thisProcess()
    await take(opened.repository, { ...described, pid: other.pid ?? 0, ...more })
    return {
      other,
      async [Symbol.asyncDispose]() {
        const exited = other.exitCode === null && other.signalCode === null ? once(other, 'exit') : undefined
        other.kill('SIGKILL')
        await exited
      },
    }
  }

  it('is held as long as that lives, and no longer', async () => {
    await using held = await heldElsewhere()
    expect(await holder()).toEqual({ owner: 'run-1', process: `process ${held.other.pid}` })
    held.other.kill('SIGKILL')
    await once(held.other, 'exit')
    expect(await holder()).toBeUndefined()
  })

  it.runIf(existsSync('/proc/self/stat'))(
    'is over if its number was given to a later process meanwhile',
    async () => {
      await using _held = await heldElsewhere({ born: '1' })
      expect(await holder()).toBeUndefined()
    },
  )

  it('is over if the machine has restarted since', async () => {
    const own = thisProcess()
    await take(opened.repository, { ...own, boot: 'another', booted: Number(own.booted) - 3600 })
    expect(await holder()).toBeUndefined()
  })

  it('is over if an earlier process had the number of this one, as in a container that was started again', async () => {
    const own = thisProcess()
    await take(opened.repository, { ...own, started: Number(own.started) - 60_000 })
    expect(await holder()).toBeUndefined()
  })

  it('is ended when this process first says that it lives, so that nothing waits for it', async () => {
    const own = thisProcess()
    await take(opened.repository, { ...own, started: Number(own.started) - 60_000 })
    await opened.locks().ownLease()
    expect(await opened.repository.leases.read('a')).toBeUndefined()
  })
})
