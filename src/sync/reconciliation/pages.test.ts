import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { openWorld, target } from '../testing/world.ts'

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
const correlationQuery = script("({ _queryFilter: 'mail eq \"' + source.mail + '\"' })")

const pageSize = 50
const paging = { reconSourceQueryPaging: true, reconSourceQueryPageSize: pageSize }

/** More than a page of people, in the order of their ids. Some of the second page have the mail of one of the first, or of the second. */
function people(): JsonObject[] {
  return Array.from({ length: 80 }, (_, place) => {
    const same = place >= pageSize && place % 4 === 0 ? (place < 68 ? place - 25 : place - 8) : place
    return { _id: `p${String(place).padStart(5, '0')}`, mail: `${same}@x`, name: `name ${place % 4}` }
  })
}

/** What became of each person, and the users in the end. */
async function ran(mapping: JsonObject, dryRun: boolean) {
  await using world = await openWorld({
    mapping: { properties, correlationQuery, correlateEmptyTargetSet: true, ...paging, ...mapping },
  })
  await world.persons(...people())
  const { run, entries } = await world.run({ analyze: dryRun })
  const users = Object.values(await world.all(target)).map(({ mail, name }) => `${mail} ${name}`)
  return {
    state: run.state,
    came: entries
      .map(({ sourceId, situation, action }) => [sourceId, situation, action].join(' '))
      .toSorted(),
    users: users.toSorted(),
  }
}

describe('a page that is decided while the one before is written', () => {
  it.each<[string, JsonObject]>([
    ['leaves alone those whom the page before created', {}],
    [
      'changes those whom the page before changed',
      { policies: [{ situation: 'FOUND_ALREADY_LINKED', action: 'UPDATE' }] },
    ],
  ])('%s: as if people were worked one by one', async (_what, mapping) => {
    const together = await ran(mapping, false)
    expect(together.state).toBe('SUCCESS')
    expect(new Set(together.came.map((one) => one.split(' ')[1]))).toEqual(
      new Set(['ABSENT', 'FOUND_ALREADY_LINKED']),
    )
    expect(together).toEqual(await ran({ ...mapping, taskThreads: 1 }, false))
  })

  it('is foreseen in the same way by a dry run', async () => {
    const mapping = { policies: [{ situation: 'FOUND_ALREADY_LINKED', action: 'UPDATE' }] }
    expect((await ran(mapping, true)).came).toEqual((await ran(mapping, false)).came)
  })
})
