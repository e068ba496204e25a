import { ok } from 'node:assert/strict'
import { offers } from '../connector.ts'
import type { Attributes } from '../values.ts'
import {
  type Bench,
  idOf,
  type Laws,
  NotOffered,
  requireAttributes,
  requireEqual,
  requireSame,
  updating,
  verdictOf,
} from './bench.ts'

/** Objects of one page that take each other's ids. */
export const exchanging: Laws = {
  async 'swaps and rotates ids within a page, or refuses each of these writes and changes nothing'(bench) {
    for (const numbers of [
      [1, 2],
      [3, 4, 5],
    ]) {
      const { names, rename, requireNames } = await named(bench, numbers)
      const before = await bench.ids()
      const turned = [...names.slice(1), ...names.slice(0, 1)]
      const verdicts = await rename(turned)
      const isDone = verdicts.every((verdict) => verdict === 'ok')
      ok(isDone || !exchanges(bench), `it exchanges ids, and the outcomes are ${verdicts.join(', ')}`)
      if (!isDone) requireEqual(verdicts, Array(names.length).fill('alreadyExists'), 'outcomes')
      await requireNames(isDone ? turned : names)
      requireSame(await bench.ids(), before, 'found')
    }
  },
  async 'hands ids on within a page whatever the order of its writes, if it exchanges them'(bench) {
    if (!exchanges(bench)) throw new NotOffered('exchangesIds')
    const { names, rename, requireNames } = await named(bench, [1, 2, 3])
    const handedOn = [...names.slice(1), bench.given(bench.facts.rename)(9)]
    requireEqual(await rename(handedOn), ['ok', 'ok', 'ok'], 'outcomes')
    await requireNames(handedOn)
    requireEqual((await bench.ids()).length, 3, 'objects')
  },
  async 'refuses every write of an exchange of ids of which one is refused, if it exchanges them'(bench) {
    if (!exchanges(bench)) throw new NotOffered('exchangesIds')
    const { names, rename, requireNames } = await named(bench, [1, 2, 3])
    const [first = {}, second = {}, third = {}] = names
    const verdicts = await rename([second, { ...third, [bench.facts.unknown]: 'x' }, first])
    requireEqual([verdicts[0], verdicts[2]], ['alreadyExists', 'alreadyExists'], 'outcomes')
    ok(verdicts[1] !== 'ok', 'an unknown attribute was taken')
    await requireNames(names)
  },
}

function exchanges({ connector, facts }: Bench): boolean {
  return offers(connector, 'exchangesIds') && connector.exchangesIds(facts.objectClass)
}

/** Accounts of these numbers, each with a name that can be given to another one. */
async function named(bench: Bench, numbers: readonly number[]) {
  const nameOf = bench.given(bench.facts.rename)
  const names = numbers.map((n) => nameOf(n + 20))
  const created = await bench.create(...numbers)
  const pageOf = (ids: readonly string[], given: readonly Attributes[]) =>
    bench.write(...ids.map((id, place) => updating(id, given[place] ?? {})))
  let ids: readonly string[] = (await pageOf(created, names)).map(idOf)
  return {
    names,
    /** In one page; what came of each. */
    async rename(given: readonly Attributes[]): Promise<readonly string[]> {
      const outcomes = await pageOf(ids, given)
      ids = outcomes.map((outcome, place) => (outcome.ok ? outcome.id : (ids[place] ?? '')))
      return outcomes.map(verdictOf)
    },
    /** Each under the id that its outcome said, with all else as it was. */
    async requireNames(expected: readonly Attributes[]): Promise<void> {
      for (const [place, n] of numbers.entries())
        requireAttributes(await bench.readOne(ids[place] ?? ''), {
          ...bench.expected(n),
          ...expected[place],
        })
    },
  }
}
