import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requireReadable } from '../../model/unreadable.ts'
import type { RequestContext } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { runs } from '../../testing/runs.ts'
import { temporaryStore } from '../../testing/store.ts'
import { managedObjects } from '../resource.ts'
import { managedTypes } from '../testing/managed-types.ts'

const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const types = managedTypes({
  objects: [
    {
      name: 'user',
      schema: { properties: { mail: { type: 'string', policies: [{ policyId: 'unique' }] } } },
    },
  ],
})

/** Objects with these mails, id → mail. */
async function open(mails: Readonly<Record<string, string>>) {
  const store = await temporaryStore()
  const managed = await managedObjects({ repository: store.repository, types })
  const set = router({ managed }).objectSet('managed/user')
  const write = async (writes: readonly (readonly [id: string, mail: string | null])[], creates = false) => {
    const outcomes = await set.writeMany(
      writes.map(([id, mail]) => {
        if (mail === null) return { operation: 'delete', id }
        return { operation: creates ? 'create' : 'update', id, content: { _id: id, mail } }
      }),
      own,
    )
    return outcomes.map(({ ok }) => ok)
  }
  await write(Object.entries(mails), true)
  return {
    write,
    async mails() {
      const found = await set.readMany(Object.keys(mails))
      return Object.fromEntries([...found].map(([id, entry]) => [id, requireReadable(entry).mail]))
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

describe('a unique value within one page', () => {
  it.each<[string, [string, string | null][], boolean[]]>([
    [
      'is swapped',
      [
        ['a', '2'],
        ['b', '1'],
      ],
      [true, true],
    ],
    [
      'goes round',
      [
        ['a', '2'],
        ['b', '3'],
        ['c', '1'],
      ],
      [true, true, true],
    ],
    [
      'is handed over, the taker first',
      [
        ['a', '2'],
        ['b', 'x'],
      ],
      [true, true],
    ],
    [
      'is handed over, the giver first',
      [
        ['b', 'x'],
        ['a', '2'],
      ],
      [true, true],
    ],
    [
      'is left by one who goes',
      [
        ['a', '2'],
        ['b', null],
      ],
      [true, true],
    ],
    [
      'stays with one who keeps it',
      [
        ['a', '2'],
        ['b', '2'],
      ],
      [false, true],
    ],
    [
      'is given to one of two',
      [
        ['a', '3'],
        ['b', '3'],
        ['c', 'x'],
      ],
      [true, false, true],
    ],
    [
      'stays with one who is refused',
      [
        ['a', '2'],
        ['b', '3'],
      ],
      [false, false],
    ],
  ])('%s', async (_what, writes, expected) => {
    await using users = await open({ a: '1', b: '2', c: '3' })
    expect(await users.write(writes)).toEqual(expected)
  })

  it('comes to any assignment without doubles, whatever the order, and never to one with doubles', async () => {
    const ids = ['a', 'b', 'c', 'd']
    const wishes = fc.tuple(
      fc.shuffledSubarray(ids, { minLength: 1 }),
      fc.array(fc.constantFrom('1', '2', '3', '4', '5'), { minLength: 4, maxLength: 4 }),
    )
    await fc.assert(
      fc.asyncProperty(wishes, async ([order, values]) => {
        const before = { a: '1', b: '2', c: '3', d: '4' }
        await using users = await open(before)
        const wanted = Object.fromEntries(order.map((id, place) => [id, values[place] ?? '']))
        const end: Record<string, string> = { ...before, ...wanted }
        const outcomes = await users.write(order.map((id) => [id, wanted[id] ?? '']))
        const mails = await users.mails()
        expect(new Set(Object.values(mails)).size).toBe(ids.length)
        if (new Set(Object.values(end)).size < ids.length) return
        expect(outcomes).not.toContain(false)
        expect(mails).toEqual(end)
      }),
      runs(60),
    )
  })
})
