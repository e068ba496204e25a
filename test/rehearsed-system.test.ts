import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { files, pages, writeOf } from '../src/connectors/csv/testing/arbitrary-pages.ts'
import { objectsOf, temporaryCsv } from '../src/connectors/csv/testing/temporary.ts'
import type { Connector } from '../src/connectors/kit/connector.ts'
import type { ConnectorWrite } from '../src/connectors/kit/write.ts'
import { rehearsal } from '../src/connectors/system/rehearsed.ts'
import { everything } from '../src/model/filter/filter.ts'
import { requireReadable } from '../src/model/unreadable.ts'
import { runs } from '../src/testing/runs.ts'

const account = '__ACCOUNT__'
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

async function found(connector: Connector): Promise<unknown[]> {
  const pages = await Array.fromAsync(connector.search?.({ objectClass: account, filter: everything }) ?? [])
  return plain(pages.flat().map(requireReadable))
}

const byId = (objects: readonly { _id: string }[]) =>
  objects.toSorted((one, other) => (one._id < other._id ? -1 : 1))

/** The outcomes without what only a file says: which one, and which line. */
async function write(connector: Connector, page: readonly ConnectorWrite[]) {
  const outcomes = (await connector.writeMany?.(account, page)) ?? []
  return outcomes.map((outcome, place) => {
    if (!outcome.ok) return { kind: 'kind' in outcome.error && outcome.error.kind }
    return page[place]?.operation === 'delete'
      ? { id: outcome.id }
      : { id: outcome.id, object: plain(outcome.object) }
  })
}

const nameOf = (write: ConnectorWrite) =>
  String(write.operation === 'create' ? write.attributes.uid : write.id)

describe('a rehearsed system', () => {
  it('answers and holds what the system would, page after page, and leaves it alone', async () => {
    await fc.assert(
      fc.asyncProperty(files, pages, async ({ content, rows }, steps) => {
        await using csv = await temporaryCsv(content)
        await using other = await temporaryCsv(content)
        await using system = other.connect({ headerUid: 'uid' })
        await using rehearsed = rehearsal(csv.connect({ headerUid: 'uid' }))
        for (const page of steps) {
          // As a run writes: no object twice in a page.
          const writes = [
            ...new Map(page.map((step) => writeOf(step, rows)).map((one) => [nameOf(one), one])).values(),
          ]
          expect(await write(rehearsed, writes)).toEqual(await write(system, writes))
          const objects = plain(await objectsOf(system))
          expect(byId((await found(rehearsed)) as { _id: string }[])).toEqual(byId(objects))
          const ids = ['a', 'bb', 'é', '漢字', 'nobody']
          expect(plain(Object.fromEntries((await rehearsed.readMany?.(account, ids)) ?? []))).toEqual(
            plain(Object.fromEntries(await system.readMany(account, ids))),
          )
        }
        expect(await csv.text()).toBe(content)
      }),
      runs(200),
    )
  })
})
