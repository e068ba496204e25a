import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import type { Repository } from '../repository/repository.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { csvFormat } from './csv.ts'
import { FileSink, jsonLines } from './file-sink.ts'
import { Follower, positionKey } from './follower.ts'
import type { FileHandlerSettings } from './settings.ts'
import { verifyCsv } from './verify-csv.ts'

/** Audit events in files (platform §9). */
let folder: string
let store: TemporaryStore
let repository: Repository
let logged: string[]
let now: number

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  folder = store.folder
  logged = []
  now = Date.parse('2026-03-01T12:00:00Z')
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

const key = Buffer.alloc(32, 7)
const plain = { quote: '"', delimiter: ',', newline: '\n' }
interface Wanted extends Partial<FileHandlerSettings> {
  readonly hashed?: boolean
}

function handler({ kind = 'json', hashed = false, ...more }: Wanted = {}) {
  const topics = new Set(['recon', 'sync'])
  const format = kind === 'json' ? jsonLines : csvFormat(more.format ?? plain, hashed ? key : undefined)
  const settings = { folder: join(folder, 'audit'), topics, rotation: {}, kept: {}, ...more }
  const sink = new FileSink(settings, format, () => now)
  const log = (_level: string, text: string) => logged.push(text)
  const followed = { name: 'files', topics, kind: 'stdout' } as const
  return new Follower({ settings: followed, sink, repository, interval: 5, log })
}
/** Events recorded while a handler of these settings runs from its start to its orderly end. */
async function run(wanted: Wanted, ...ids: readonly string[]): Promise<void> {
  await using own = handler(wanted)
  await own.start()
  await append('recon', ...ids)
}
const append = (topic: string, ...ids: readonly string[]) =>
  appendContent(
    topic,
    ids.map((id) => [id, {}]),
  )
const appendContent = (topic: string, events: readonly (readonly [id: string, content: JsonObject])[]) =>
  repository.audit.append(
    events.map(([id, content]) => ({
      ...{ id, topic, timestamp: '2026-01-01T00:00:00Z', content: { action: 'CREATE', ...content } },
    })),
  )
const path = (file: string) => join(folder, 'audit', file)
const idsIn = (file: string) =>
  readFileSync(path(file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)._id)
const aside = (start = 'recon.audit.json-') =>
  readdirSync(join(folder, 'audit'))
    .filter((name) => name.startsWith(start))
    .toSorted()

describe('a handler that writes lines of JSON', () => {
  it('writes what is recorded from its first start on, a file a topic, and only its topics', async () => {
    await append('recon', 'before')
    {
      await using own = handler()
      await own.start()
      await append('recon', '1', '2')
      await append('access', '3')
      await append('sync', '4')
    }
    expect([idsIn('recon.audit.json'), idsIn('sync.audit.json')]).toEqual([['1', '2'], ['4']])
    expect(readdirSync(join(folder, 'audit'))).toEqual(['recon.audit.json', 'sync.audit.json'])
  })

  it('writes nothing twice and leaves nothing out when it is started again, whatever a dead process left', async () => {
    await run({}, '1')
    await append('recon', '2')
    // Written, but its position was not stored.
    appendFileSync(path('recon.audit.json'), '{"_id":"2"}\n{"_id":')
    await run({}, '3')
    expect(idsIn('recon.audit.json')).toEqual(['1', '2', '3'])
  })

  it('puts a file aside before it grows too large, event by event, and loses none', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `event-${n}`)
    await run({ rotation: { maxFileSize: 120 } }, ...ids)
    const all = [...aside().flatMap((name) => idsIn(name)), ...idsIn('recon.audit.json')]
    expect(all.toSorted()).toEqual(ids.toSorted())
    for (const name of [...aside(), 'recon.audit.json'])
      expect(readFileSync(path(name)).length).toBeLessThanOrEqual(120)
    expect(aside().length).toBeGreaterThan(5)
  })

  it('puts a file aside when it is a day old, and at a time of the day', async () => {
    const rotation = { interval: 86_400_000 }
    await run({ rotation }, 'old')
    now += 3_600_000
    await run({ rotation }, 'same day')
    expect(idsIn('recon.audit.json')).toEqual(['old', 'same day'])
    now += 86_400_000
    await run({ rotation }, 'next day')
    expect([aside().map((name) => idsIn(name)), idsIn('recon.audit.json')]).toEqual([
      [['old', 'same day']],
      ['next day'],
    ])
    now = Date.parse('2026-03-02T23:59:00Z')
    await run({ rotation: { times: [0] } }, 'before midnight')
    now = Date.parse('2026-03-03T00:01:00Z')
    await run({ rotation: { times: [0] } }, 'after midnight')
    expect(idsIn('recon.audit.json')).toEqual(['after midnight'])
  })

  it('keeps as many files as it is told, the youngest', async () => {
    for (let round = 0; round < 6; round++) {
      now += 1000
      await run({ rotation: { maxFileSize: 60 }, kept: { maxFiles: 2 } }, `event-${round}`)
    }
    expect(aside().flatMap((name) => idsIn(name))).toEqual(['event-3', 'event-4'])
    expect(idsIn('recon.audit.json')).toEqual(['event-5'])
  })

  it('finishes what a process began that died while it put a file aside', async () => {
    await run({}, '1')
    await append('recon', '2')
    const position = (await repository.settings.read(positionKey('files'))) as JsonObject
    const name = 'recon.audit.json-2026-03-01T12-00-00-000Z'
    const begun = { ...position, sizes: { recon: 0 }, aside: { recon: name } }
    // It had said so, and not yet done it.
    await repository.settings.write(positionKey('files'), begun)
    await run({}, '3')
    expect([idsIn(name), idsIn('recon.audit.json')]).toEqual([['1'], ['2', '3']])
  })

  it('puts its files aside when it is asked to', async () => {
    await using own = handler()
    await own.start()
    await append('recon', '1')
    await own.rotate()
    await append('recon', '2')
    await expect.poll(() => readdirSync(join(folder, 'audit')).length).toBe(2)
    expect([aside().flatMap((name) => idsIn(name)), idsIn('recon.audit.json')]).toEqual([['1'], ['2']])
  })

  it('begins a new file if another program removed it', async () => {
    await run({}, '1')
    renameSync(path('recon.audit.json'), path('elsewhere'))
    await run({}, '2')
    expect(idsIn('recon.audit.json')).toEqual(['2'])
  })

  it('says once that it cannot write, and catches up when it can', async () => {
    writeFileSync(join(folder, 'audit'), 'in the way')
    await using own = handler()
    await own.start()
    await append('recon', '1', '2')
    await expect.poll(() => logged.length).toBeGreaterThan(0)
    // Several times what lies between two tries.
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(logged).toEqual([expect.stringMatching(/audit handler files: .*it is tried again/)])
    rmSync(join(folder, 'audit'))
    await expect.poll(() => idsIn('recon.audit.json')).toEqual(['1', '2'])
  })
})

describe('a handler that writes CSV', () => {
  const rows = (file = 'recon.csv') =>
    parse(readFileSync(path(file)), { columns: true }) as readonly Record<string, string>[]
  const awkward = { message: 'a "quoted", long\nmessage', messageDetail: { a: [1, null] }, extra: { b: 'c' } }

  it('has a column a field, and one for the rest; nothing of an event is lost', async () => {
    await using own = handler({ kind: 'csv' })
    await own.start()
    await appendContent('recon', [['1', awkward]])
    await expect.poll(() => readdirSync(join(folder, 'audit'))).toEqual(['recon.csv'])
    await expect.poll(() => rows().length).toBe(1)
    const [row] = rows()
    expect(row).toMatchObject({ _id: '1', action: 'CREATE', message: awkward.message, mapping: '' })
    expect(JSON.parse(row?.messageDetail ?? '')).toEqual(awkward.messageDetail)
    expect(JSON.parse(row?.more ?? '')).toEqual({ extra: { b: 'c' } })
    expect(Object.keys(row ?? {}).slice(0, 8)).toEqual([
      ...['_id', 'timestamp', 'eventName', 'transactionId', 'userId', 'trackingIds', 'entryType', 'reconId'],
    ])
  })

  it('proves its rows over several starts and files, whatever is in them', async () => {
    const wanted: Wanted = { kind: 'csv', hashed: true, rotation: { maxFileSize: 900 } }
    for (let round = 0; round < 3; round++) {
      await using own = handler(wanted)
      await own.start()
      await appendContent(
        'recon',
        [1, 2, 3].map((n) => [`${round}-${n}`, awkward]),
      )
    }
    const files = [...aside('recon.csv-'), 'recon.csv']
    expect(files.length).toBeGreaterThan(1)
    expect(files.flatMap((file) => rows(file).map(({ _id }) => _id))).toHaveLength(9)
    for (const file of files)
      expect(verifyCsv(readFileSync(path(file), 'utf8'), key)).toMatchObject({ broken: undefined })
  })

  it('continues with the right hash after a process that died', async () => {
    const wanted: Wanted = { kind: 'csv', hashed: true }
    await run(wanted, '1', '2')
    await append('recon', '3')
    appendFileSync(path('recon.csv'), 'half a r')
    await run(wanted, '4')
    expect(rows().map(({ _id }) => _id)).toEqual(['1', '2', '3', '4'])
    expect(verifyCsv(readFileSync(path('recon.csv'), 'utf8'), key)).toMatchObject({
      rows: 4,
      broken: undefined,
    })
  })

  it.each([
    ['a row is changed', (text: string) => text.replace('CREATE', 'IGNORE'), 2],
    ['a row is removed', (text: string) => text.replace(/^2,.*\n/m, ''), 3],
    ['a row is put in', (text: string) => text.replace(/^(2,.*\n)/m, '$1$1'), 4],
    ['rows change places', (text: string) => text.replace(/^(2,.*\n)(3,.*\n)/m, '$2$1'), 3],
    ['the header is changed', (text: string) => text.replace('mapping', 'mopping'), 2],
    ['a row is cut', (text: string) => text.slice(0, -3), 4],
  ])('is found out where %s', async (_what, tamper, line) => {
    await run({ kind: 'csv', hashed: true }, '1', '2', '3')
    const text = readFileSync(path('recon.csv'), 'utf8')
    expect(verifyCsv(text, key)).toMatchObject({ rows: 3, broken: undefined })
    expect(verifyCsv(tamper(text), key)?.broken).toMatchObject({ line })
    expect(verifyCsv(text, Buffer.alloc(32, 8))?.broken).toMatchObject({ line: 2 })
  })

  it('puts a file aside that it does not know, and proves its own', async () => {
    await run({}, 'json')
    writeFileSync(path('recon.csv'), 'something,else\n1,2\n')
    await repository.settings.write(positionKey('files'), { seq: await repository.audit.lastSeq() })
    await run({ kind: 'csv', hashed: true }, '1')
    expect(rows().map(({ _id }) => _id)).toEqual(['1'])
    expect(aside('recon.csv-')).toHaveLength(1)
    truncateSync(path('recon.csv'), 0)
    await run({ kind: 'csv', hashed: true }, '2')
    expect(rows().map(({ _id }) => _id)).toEqual(['2'])
  })
})
