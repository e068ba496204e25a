import { describe, expect, it } from 'vitest'
import type { RunSet, RunSets } from '../run-sets.ts'

export interface RunSetsUnderTest {
  readonly name: string
  open(): Promise<RunSets>
}

/** What every adapter of the port of a run's ids must do. */
export function runSetsContract({ name, open }: RunSetsUnderTest): void {
  describe(`the ids of a run ${name}`, () => {
    const asTheyAre = (id: string) => id
    const opened = async (normal = asTheyAre): Promise<RunSet> => (await open()).open('r', 'targets', normal)
    const remaining = (set: RunSet) => Array.fromAsync(set.remaining(2))

    it('are added once, whatever page they come with', async () => {
      await using set = await opened()
      expect(await set.add(['b', 'a', 'b'])).toEqual(['b', 'a'])
      expect(await set.add(['a', 'c'])).toEqual(['c'])
      expect(await set.size()).toBe(3)
    })

    it('are known as they were spelt first', async () => {
      await using set = await opened((id) => id.toLowerCase())
      expect(await set.add(['Ann', 'ANN'])).toEqual(['Ann'])
      expect(await set.known(['ann', 'ANN', 'bob'])).toEqual(
        new Map([
          ['ann', 'Ann'],
          ['ANN', 'Ann'],
        ]),
      )
      await set.handle(['aNN'])
      expect(await set.remainingCount()).toBe(0)
      expect(await set.known(['ann'])).toEqual(new Map([['ann', 'Ann']]))
    })

    it('remain until they are handled, in pages, in the order of adding', async () => {
      await using set = await opened()
      await set.add(['e', 'd', 'c', 'b', 'a'])
      await set.handle(['d', 'unknown', 'd'])
      expect(await set.remainingCount()).toBe(4)
      expect(await remaining(set)).toEqual([
        ['e', 'c'],
        ['b', 'a'],
      ])
      expect(await set.size()).toBe(5)
    })

    it('do not remain if they are handled while the pages before theirs are worked', async () => {
      await using set = await opened()
      await set.add(['a', 'b', 'c', 'd'])
      const pages: (readonly string[])[] = []
      for await (const page of set.remaining(1)) {
        pages.push(page)
        if (page[0] === 'a') await set.handle(['a', 'c'])
      }
      expect(pages).toEqual([['a'], ['b'], ['d']])
    })

    it('remain all of them again when it starts over', async () => {
      await using set = await opened()
      await set.add(['a', 'b'])
      await set.handle(['a', 'b'])
      expect(await remaining(set)).toEqual([])
      await set.startOver()
      expect(await remaining(set)).toEqual([['a', 'b']])
    })

    it('are those of one run and name', async () => {
      const sets = await open()
      await using one = await sets.open('r', 'sources', asTheyAre)
      await using two = await sets.open('r', 'targets', asTheyAre)
      await using three = await sets.open('s', 'sources', asTheyAre)
      await one.add(['a'])
      expect([await two.size(), await three.size()]).toEqual([0, 0])
    })
  })
}
