import { describe, expect, it } from 'vitest'
import { Generations } from './generations.ts'

function state(name: string, disposed: string[]) {
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      disposed.push(name)
    },
  }
}

describe('a state that is replaced', () => {
  it('is disposed of at once if no work is active', async () => {
    const disposed: string[] = []
    const generations = new Generations(state('first', disposed))
    generations.replace(state('second', disposed))
    await generations[Symbol.asyncDispose]()
    expect(disposed).toEqual(['first', 'second'])
  })

  it('stays, with all that came after it, until what began under it is done', async () => {
    const disposed: string[] = []
    const generations = new Generations(state('first', disposed))
    const { promise, resolve } = Promise.withResolvers<void>()
    const work = generations.during(() => promise)
    generations.replace(state('second', disposed))
    await generations.during(async () => expect(generations.current.name).toBe('second'))
    generations.replace(state('third', disposed))
    await Promise.resolve()
    expect(disposed).toEqual([])
    resolve()
    await work
    await new Promise((done) => setImmediate(done))
    expect(disposed).toEqual(['first', 'second'])
    expect(generations.current.name).toBe('third')
  })

  it('is let go when the work under it fails, too', async () => {
    const disposed: string[] = []
    const generations = new Generations(state('first', disposed))
    const work = generations.during(async () => {
      await Promise.resolve()
      throw new Error('broken')
    })
    generations.replace(state('second', disposed))
    await expect(work).rejects.toThrow('broken')
    await new Promise((done) => setImmediate(done))
    expect(disposed).toEqual(['first'])
  })
})
