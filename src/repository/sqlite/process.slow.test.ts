import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../testing/folder.ts'
import type { Repository } from '../repository.ts'
import { openSqlite } from './open.ts'
import { startWriter } from './testing/process.ts'

async function counts(repository: Repository): Promise<readonly [objects: number, links: number]> {
  return [await repository.objects.count('managed/user'), await repository.links.count('hr_user')]
}

describe('a process that is killed', () => {
  it('in the middle of a transaction leaves what it had committed, and nothing else', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    {
      await using writer = startWriter(file, '20')
      for (;;) if ((await writer.lines.next()).value === 'inside') break
    }
    await using repository = await openSqlite(file)
    expect(await counts(repository)).toEqual([20, 20])
    await repository.settings.write('key', 'writable')
  })

  it('at any moment leaves everything that it had reported, and no half of a transaction', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    let reported = 0
    {
      await using writer = startWriter(file, '1000000')
      while (reported < 500) reported = Number((await writer.lines.next()).value?.split(' ')[1])
    }
    await using repository = await openSqlite(file)
    const [objects, links] = await counts(repository)
    expect(objects).toBeGreaterThanOrEqual(reported)
    expect(links).toBe(objects)
  })
})

describe('a transaction while another process is in one', () => {
  it('waits for it', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    await using writer = startWriter(file, '0')
    await writer.lines.next()
    await using repository = await openSqlite(file)
    const write = repository.settings.write('key', 'after')
    expect(await counts(repository)).toEqual([0, 0])
    writer.process.stdin?.end()
    await write
    expect(await counts(repository)).toEqual([1, 1])
    expect(await repository.settings.read('key')).toBe('after')
  })

  it('is refused as a CONFLICT when that lasts too long, and nothing of it is kept', async () => {
    using folder = temporaryFolder()
    const file = folder.file('store.db')
    await using writer = startWriter(file, '0')
    await writer.lines.next()
    await using repository = await openSqlite(file, { patience: 50 })
    const write = repository.settings.write('key', 'value')
    await expect(write).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(file) })
    writer.process.stdin?.end()
    await writer.lines.next()
    expect(await repository.settings.read('key')).toBeUndefined()
  })
})
