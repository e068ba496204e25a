import { describe, expect, it } from 'vitest'
import { RefCounted } from './ref-counted.ts'

function thing(closed: string[], name: string) {
  return async () => ({
    name,
    [Symbol.asyncDispose]: async () => {
      closed.push(name)
    },
  })
}

describe('a thing that is shared', () => {
  it('is opened once, and closed when the last user lets go', async () => {
    const closed: string[] = []
    const shared = new RefCounted<{ name: string } & AsyncDisposable>()
    const first = await shared.use('a', thing(closed, 'one'))
    const second = await shared.use('a', thing(closed, 'another'))
    expect(second.thing.name).toBe('one')
    await first[Symbol.asyncDispose]()
    expect(closed).toEqual([])
    await second[Symbol.asyncDispose]()
    expect(closed).toEqual(['one'])
    expect((await shared.use('a', thing(closed, 'anew'))).thing.name).toBe('anew')
  })

  it('that cannot be opened is tried again by the next user', async () => {
    const shared = new RefCounted<{ name: string } & AsyncDisposable>()
    await expect(shared.use('a', () => Promise.reject(new Error('locked')))).rejects.toThrow('locked')
    expect((await shared.use('a', thing([], 'open'))).thing.name).toBe('open')
  })
})
