import { describe, expect, it } from 'vitest'
import { TargetIds } from './target-ids.ts'

describe('the target ids of a run', () => {
  it('remain until they are handled, in the order of the query, in pages', () => {
    const ids = new TargetIds((id) => id)
    for (const id of ['a', 'b', 'c', 'd']) ids.add(id)
    ids.handled('b')
    ids.handled('unknown')
    expect([...ids.remaining(2)]).toEqual([['a', 'c'], ['d']])
    expect([ids.size, ids.remainingCount]).toEqual([4, 3])
  })

  it('are known even after they were handled: a linked target exists if the query returned it', () => {
    const ids = new TargetIds((id) => id)
    ids.add('a')
    ids.handled('a')
    expect([ids.has('a'), ids.has('b')]).toEqual([true, false])
  })

  it('keep the spelling of the target where case does not count', () => {
    const ids = new TargetIds((id) => id.toLowerCase())
    ids.add('CN=Ann')
    expect([ids.has('cn=ann'), ids.spelling('cn=ann'), ids.spelling('cn=bob')]).toEqual([
      true,
      'CN=Ann',
      'cn=bob',
    ])
    expect([...ids.remaining(10)]).toEqual([['CN=Ann']])
    ids.handled('cn=ANN')
    expect([...ids.remaining(10)]).toEqual([])
  })
})
