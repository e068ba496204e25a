import { open } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { parseSortKeys } from '../../model/sort.ts'
import type { ResourceQuery } from '../../router/resources.ts'
import { runs } from '../../testing/runs.ts'
import { openSystem, type System } from '../system/open-system.ts'
import { csvKind } from './kind.ts'
import { temporaryCsv } from './testing/temporary.ts'

/** Pages of a file as REST asks for them: only the rows of the page are read. */
const objectTypes = {
  account: { nativeType: '__ACCOUNT__', properties: { uid: { type: 'string' }, a: { type: 'string' } } },
}

async function people(content: string) {
  const csv = await temporaryCsv(content)
  const configuration: JsonObject = {
    name: 'hr',
    connectorRef: { connectorName: csvKind.connectorName },
    configurationProperties: { csvFile: 'people.csv' },
    objectTypes,
  }
  const system = await openSystem(configuration, {
    kinds: [csvKind],
    projectFolder: csv.folder,
    decrypt: async (value) => value,
  })
  return {
    csv,
    page: (query: Partial<ResourceQuery> = {}) => pageOf(system, query),
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]()
      await csv[Symbol.asyncDispose]()
    },
  }
}

async function pageOf(system: System, query: Partial<ResourceQuery>) {
  const page = await system.objects.get('account')?.query({ filter: everything, ...query })
  return { ...page, ids: page?.result.map(({ _id }) => _id) ?? [] }
}

/** Counts the bytes that are read from any file. */
async function bytesRead(file: string): Promise<{ count: number }> {
  const counted = { count: 0 }
  await using handle = await open(file, 'r')
  const prototype: typeof handle = Object.getPrototypeOf(handle)
  const read = prototype.read
  vi.spyOn(prototype, 'read').mockImplementation(async function (this: typeof handle, ...given: unknown[]) {
    const result = await Reflect.apply(read, this, given)
    counted.count += result.bytesRead
    return result
  })
  return counted
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('a page of a file of 100,000 rows', () => {
  it('reads its own rows and nothing else, once the file has been read', async () => {
    const count = 100_000
    const ids = Array.from({ length: count }, (_, n) => `u${String((n * 7919) % count).padStart(6, '0')}`)
    const content = `uid,a\n${ids.map((id) => `${id},a value of ${id}`).join('\n')}\n`
    await using hr = await people(content)
    const first = await hr.page({ pageSize: 50, totalPolicy: 'EXACT' })
    expect(first).toMatchObject({ total: count, result: { length: 50 } })
    expect(first.ids).toEqual(ids.toSorted().slice(0, 50))
    const counted = await bytesRead(hr.csv.file)
    const second = await hr.page({ pageSize: 50, cookie: first.cookie ?? '' })
    expect(second.ids).toEqual(ids.toSorted().slice(50, 100))
    const last = await hr.page({ pageSize: 50, sortKeys: parseSortKeys('-uid') })
    expect(last.ids).toEqual(ids.toSorted().toReversed().slice(0, 50))
    expect(counted.count).toBeGreaterThan(0)
    expect(counted.count).toBeLessThan(content.length / 100)
  })
})

describe('the pages of a file', () => {
  it('hold every row once in the order of the ids, for any ids, size and direction', async () => {
    const id = fc.string({
      minLength: 1,
      maxLength: 3,
      unit: fc.constantFrom('a', 'b', 'Z', 'é', '\uff5e', '😀'),
    })
    const property = fc.asyncProperty(
      fc.uniqueArray(id, { maxLength: 20 }),
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (ids, pageSize, isDescending) => {
        await using hr = await people(`uid,a\n${ids.map((one) => `"${one}",x\n`).join('')}`)
        const sortKeys = isDescending ? parseSortKeys('-_id') : []
        const found: string[] = []
        let cookie: string | undefined
        do {
          const page = await hr.page({ pageSize, sortKeys, ...(cookie !== undefined && { cookie }) })
          found.push(...page.ids)
          cookie = page.cookie ?? undefined
        } while (cookie !== undefined)
        const whole = await hr.page({ sortKeys: parseSortKeys(isDescending ? '-_id' : '_id') })
        expect(found).toEqual(whole.ids)
      },
    )
    await fc.assert(property, runs(60))
  })

  it('are those of the whole file where they are sorted or filtered by something else', async () => {
    await using hr = await people('uid,a\n1,z\n2,y\n3,x\n')
    expect((await hr.page({ pageSize: 2, sortKeys: parseSortKeys('a') })).ids).toEqual(['3', '2'])
    const filter = { kind: 'compare', operator: 'gt', pointer: ['a'], value: 'x' } as const
    expect(await hr.page({ pageSize: 1, filter, offset: 1, totalPolicy: 'EXACT' })).toMatchObject({
      ids: ['2'],
      total: 2,
      cookie: null,
    })
  })
})
