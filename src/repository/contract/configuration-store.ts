import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConfigurationStore } from '../configuration-store.ts'

export interface ConfigurationStoreUnderTest {
  readonly name: string
  /** Empty. `behindItsBack` writes as another program does; undefined deletes. */
  open(): Promise<
    AsyncDisposable & {
      readonly store: ConfigurationStore
      behindItsBack(id: string, text: string | undefined): Promise<void>
    }
  >
}

/** What every adapter of the port of the configuration must do. */
export function configurationStoreContract({ name, open }: ConfigurationStoreUnderTest): void {
  describe(`the configuration in ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    let store: ConfigurationStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened[Symbol.asyncDispose]())
    const conflict = { code: 'CONFLICT' }

    it('is read as it was written, with a revision that goes with the text', async () => {
      expect(await store.read('managed')).toBeUndefined()
      await store.write('managed', '{ "ü": 1 }\n', undefined)
      const first = await store.read('managed')
      expect(first).toEqual({ text: '{ "ü": 1 }\n', revision: expect.any(String) })
      await store.write('managed', '{}', first?.revision)
      const second = await store.read('managed')
      expect(second?.text).toBe('{}')
      expect(second?.revision).not.toBe(first?.revision)
      await store.write('managed', undefined, second?.revision)
      expect(await store.read('managed')).toBeUndefined()
    })

    it('is not written where another program has written or deleted', async () => {
      await store.write('managed', '1', undefined)
      const known = await store.read('managed')
      await opened.behindItsBack('managed', '2')
      await expect(store.write('managed', '3', known?.revision)).rejects.toMatchObject(conflict)
      await expect(store.write('managed', undefined, known?.revision)).rejects.toMatchObject(conflict)
      await expect(store.write('managed', '3', undefined)).rejects.toMatchObject(conflict)
      expect((await store.read('managed'))?.text).toBe('2')
      await opened.behindItsBack('managed', undefined)
      await expect(store.write('managed', '3', known?.revision)).rejects.toMatchObject(conflict)
    })

    it('keeps documents of a name and a part apart', async () => {
      await store.write('mapping/a', 'a', undefined)
      await store.write('mapping/b', 'b', undefined)
      expect((await store.read('mapping/a'))?.text).toBe('a')
      expect(await store.read('mapping')).toBeUndefined()
    })

    it('has another stamp when something has been written, and the same when nothing has', async () => {
      const none = await store.stamp()
      expect(await store.stamp()).toBe(none)
      await store.write('managed', '1', undefined)
      const one = await store.stamp()
      await opened.behindItsBack('managed', 'two')
      const two = await store.stamp()
      expect(new Set([none, one, two]).size).toBe(3)
    })

    it('calls a watch after each write, until it is disposed of', async () => {
      const changed = vi.fn(async () => {})
      {
        await using _watch = store.watch(changed, { interval: 5 })
        await opened.behindItsBack('managed', '1')
        await vi.waitFor(() => expect(changed).toHaveBeenCalled())
      }
      const calls = changed.mock.calls.length
      await opened.behindItsBack('managed', 'two')
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(changed).toHaveBeenCalledTimes(calls)
    })

    it('calls a watch again that has failed', async () => {
      let calls = 0
      const changed = async () => {
        if (++calls === 1) throw new Error('not yet')
      }
      await using _watch = store.watch(changed, { interval: 5 })
      await opened.behindItsBack('managed', '1')
      await vi.waitFor(() => expect(calls).toBeGreaterThan(1))
    })
  })
}
