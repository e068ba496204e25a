import { execFile } from 'node:child_process'
import { chmod, lstat, mkdir, readdir, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { requireReadable } from '../../model/unreadable.ts'
import { type ConnectorWrite, settingOf } from '../kit/write.ts'
import type { CsvConnector } from './csv-connector.ts'
import { csvKind } from './kind.ts'
import { objectsOf, temporaryCsv } from './testing/temporary.ts'

const put = (connector: CsvConnector, ...writes: ConnectorWrite[]) =>
  connector.writeMany('__ACCOUNT__', writes)
const create = (attributes: JsonObject): ConnectorWrite => ({ operation: 'create', attributes })
const update = (id: string, attributes: JsonObject): ConnectorWrite => ({
  operation: 'update',
  id,
  changes: settingOf(attributes),
})
const remove = (id: string): ConnectorWrite => ({ operation: 'delete', id })

describe('the bytes of a CSV file after a page of writes', () => {
  it.each<
    [what: string, before: string, writes: ConnectorWrite[], after: string, configuration?: JsonObject]
  >([
    [
      'a new row is quoted and comes last',
      'uid,a\n1,x\n',
      [create({ a: 'y', uid: '2' })],
      'uid,a\n1,x\n"2","y"\n',
    ],
    [
      'a missing last line break is added first',
      'uid,a\n1,x',
      [create({ uid: '2' })],
      'uid,a\n1,x\n"2",""\n',
    ],
    [
      'only a changed row is rendered',
      'uid, a\n 1,x\n2,y\n\n3,"z"',
      [update('2', { a: 'w' })],
      'uid, a\n 1,x\n"2","w"\n\n3,"z"',
    ],
    [
      'a changed row keeps its line break',
      'uid,a\r\n1,x\r\n2,y',
      [update('1', { a: 'w' }), update('2', { a: 'v' })],
      'uid,a\r\n"1","w"\r\n"2","v"',
    ],
    [
      'a deleted row takes its line break along',
      'uid,a\n1,x\n2,y\n3,z\n',
      [remove('2')],
      'uid,a\n1,x\n3,z\n',
    ],
    ['the last row goes', 'uid,a\n1,x\n2,y', [remove('2')], 'uid,a\n1,x\n'],
    [
      'the last row goes and another comes',
      'uid,a\n1,x\n2,y',
      [remove('2'), create({ uid: '3' })],
      'uid,a\n1,x\n"3",""\n',
    ],
    [
      'all at once',
      'uid,a\n1,x\n2,y\n3,z\n',
      [remove('1'), create({ uid: '4', a: 'n' }), update('3', { a: null })],
      'uid,a\n2,y\n"3",""\n"4","n"\n',
    ],
    ['a row gets another uid', 'uid,a\n1,x\n', [update('1', { uid: '9' })], 'uid,a\n"9","x"\n'],
    [
      'two rows swap their uids',
      'uid,a\n1,x\n2,y\n',
      [update('1', { uid: 't' }), update('2', { uid: '1' }), update('t', { uid: '2' })],
      'uid,a\n"2","x"\n"1","y"\n',
    ],
    [
      'the byte order mark stays',
      '\uFEFFuid,a\n1,é\n2,y\n',
      [update('2', { a: 'ü' })],
      '\uFEFFuid,a\n1,é\n"2","ü"\n',
    ],
    [
      'line breaks are as configured',
      'uid,a\n',
      [create({ uid: '1' })],
      'uid,a\n"1",""\r\n',
      { newlineString: '\r\n' },
    ],
    [
      'numbers and booleans become text',
      'uid,a,b\n',
      [create({ uid: 1, a: 2.5, b: true })],
      'uid,a,b\n"1","2.5","true"\n',
    ],
    [
      'several values are joined',
      'uid,a\n',
      [create({ uid: '1', a: ['x', 'y'] })],
      'uid,a\n"1","x;y"\n',
      { multivaluedColumns: ['a'] },
    ],
    [
      'the id beside the attributes names the row',
      'uid,a\n',
      [{ operation: 'create', id: '7', attributes: {} }],
      'uid,a\n"7",""\n',
    ],
    [
      'created and deleted within the page',
      'uid,a\n1,x\n',
      [create({ uid: '2' }), remove('2')],
      'uid,a\n1,x\n',
    ],
  ])('%s', async (_, before, writes, after, configuration) => {
    await using csv = await temporaryCsv(before)
    await using connector = csv.connect(configuration)
    const outcomes = await put(connector, ...writes)
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    expect(await csv.text()).toBe(after)
    // What the connector remembers of the file is what another one reads from it.
    await using other = csv.connect(configuration)
    const ids = (await objectsOf(other)).map(({ _id }) => _id)
    expect(await connector.readMany('__ACCOUNT__', ids)).toEqual(await other.readMany('__ACCOUNT__', ids))
  })

  it('are right after many pages of all kinds, as a plain list says', async () => {
    await using csv = await temporaryCsv('uid,a\n')
    await using connector = csv.connect()
    const expected = new Map<string, string>()
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % below
    }
    for (let page = 0; page < 40; page++) {
      const writes = Array.from({ length: 20 }, (): ConnectorWrite => {
        const uid = `user-with-a-long-id-${random(100)}`
        const a = 'é'.repeat(random(9))
        const exists = expected.has(uid)
        if (!exists || random(4) > 0) expected.set(uid, a)
        else expected.delete(uid)
        if (!exists) return create({ uid, a })
        return expected.has(uid) ? update(uid, { a }) : remove(uid)
      })
      expect((await put(connector, ...writes)).every(({ ok }) => ok)).toBe(true)
    }
    const found = (await objectsOf(connector)).map(({ _id, a }) => [_id, a ?? ''] as const)
    expect(new Map(found)).toEqual(expected)
    const objects = await connector.readMany('__ACCOUNT__', [...expected.keys()])
    expect(new Map(Array.from(objects, ([id, object]) => [id, requireReadable(object).a ?? '']))).toEqual(
      expected,
    )
  })

  it('and its date are the same if nothing changes', async () => {
    await using csv = await temporaryCsv('uid,a\n1,x\n2,"y"\n')
    await utimes(csv.file, 1000, 1000)
    const { ino } = await stat(csv.file)
    await using connector = csv.connect()
    await put(connector, update('1', { a: 'x' }), update('2', { a: ' y ' }), update('3', { a: 'x' }))
    expect(await csv.text()).toBe('uid,a\n1,x\n2,"y"\n')
    expect(await stat(csv.file)).toMatchObject({ ino, mtimeMs: 1_000_000 })
  })

  it('are in the encoding of the file, and what it lacks is refused', async () => {
    await using csv = await temporaryCsv(Buffer.from('uid,a\n1,Zo\xeb\n', 'latin1'))
    await using connector = csv.connect({ encoding: 'windows-1252' })
    const outcomes = await put(connector, create({ uid: '2', a: 'Ünï €' }), create({ uid: '3', a: '漢' }))
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, error: { code: 'INVALID_VALUE' } }])
    expect((await objectsOf(connector)).map(({ a }) => a)).toEqual(['Zoë', 'Ünï €'])
  })

  it('are never ones that the encoding has no character for', async () => {
    await using csv = await temporaryCsv('uid,a\n1,x\n')
    await using connector = csv.connect({ encoding: 'windows-1253' })
    const outcomes = await put(connector, update('1', { a: '\ufffd' }))
    expect(outcomes).toMatchObject([{ ok: false, error: { code: 'INVALID_VALUE' } }])
    expect(await csv.text()).toBe('uid,a\n1,x\n')
  })

  it('take a random uid where none is given', async () => {
    await using csv = await temporaryCsv('uid,a\n')
    await using connector = csv.connect()
    const [outcome] = await put(connector, create({ a: 'x' }))
    expect(outcome).toMatchObject({ ok: true, id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  })
})

describe('a write is refused', () => {
  it.each<[what: string, write: ConnectorWrite, code: string]>([
    ['an object in a cell', update('1', { a: {} }), 'INVALID_VALUE'],
    ['several values in a cell', update('1', { a: ['x', 'y'] }), 'INVALID_VALUE'],
    ['the separator in a value', update('1', { many: ['x;y'] }), 'INVALID_VALUE'],
    ['no uid', update('1', { uid: null }), 'INVALID_VALUE'],
    ['half a character', update('1', { a: '\ud83d' }), 'INVALID_VALUE'],
    ['the uid of another row', update('1', { uid: '2' }), 'PRECONDITION_FAILED'],
  ])('%s', async (_, write, code) => {
    await using csv = await temporaryCsv('uid,a,many\n1,x,\n2,y,\n')
    await using connector = csv.connect({ multivaluedColumns: ['many'] })
    expect(await put(connector, write)).toMatchObject([{ ok: false, error: { code } }])
    expect(await csv.text()).toBe('uid,a,many\n1,x,\n2,y,\n')
  })
})

describe('another program that writes the file', () => {
  it('loses nothing: its rows stay, and only writes to rows it changed fail', async () => {
    await using csv = await temporaryCsv('uid,a\n1,x\n2,y\n3,z\n')
    await using connector = csv.connect()
    await objectsOf(connector)
    await csv.put('uid,a\n1,theirs\n2,y\n4,new\n')
    const outcomes = await put(
      connector,
      update('1', { a: 'ours' }),
      update('2', { a: 'ours' }),
      remove('3'),
      create({ uid: '4' }),
      create({ uid: '5' }),
    )
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : (outcome.error as Problem).code))).toEqual([
      'PRECONDITION_FAILED',
      'ok',
      'NOT_FOUND',
      'PRECONDITION_FAILED',
      'ok',
    ])
    expect(await csv.text()).toBe('uid,a\n1,theirs\n"2","ours"\n4,new\n"5",""\n')
  })

  it('may add a column', async () => {
    await using csv = await temporaryCsv('uid,a\n1,x\n')
    await using connector = csv.connect()
    await objectsOf(connector)
    await csv.put('uid,b,a\n1,y,x\n')
    await put(connector, create({ uid: '2', a: 'p', b: 'q' }))
    expect(await csv.text()).toBe('uid,b,a\n1,y,x\n"2","q","p"\n')
  })

  it('does not disturb a search that is on its way, if it renames its file into place', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `${n},${'x'.repeat(50)}\n`).join('')
    await using csv = await temporaryCsv(`uid,a\n${rows}`)
    await using connector = csv.connect()
    const pages = connector.search({ objectClass: '__ACCOUNT__', filter: { kind: 'literal', value: true } })
    await pages.next()
    await writeFile(`${csv.file}.new`, 'uid,a\n')
    await rename(`${csv.file}.new`, csv.file)
    let found = 500
    for await (const page of pages) found += page.length
    expect(found).toBe(20_000)
  })

  it('is noticed if it writes into the file while it is read', async () => {
    const rows = Array.from({ length: 20_000 }, (_, n) => `${n},${'x'.repeat(50)}\n`).join('')
    await using csv = await temporaryCsv(`uid,a\n${rows}`)
    await using connector = csv.connect()
    const pages = connector.search({ objectClass: '__ACCOUNT__', filter: { kind: 'literal', value: true } })
    await pages.next()
    await csv.put(`uid,a\n${rows.replaceAll('x', 'y')}`)
    await expect(Array.fromAsync(pages)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('two connectors on one file', () => {
  it('wait for one another and keep all rows', async () => {
    await using csv = await temporaryCsv('uid,a\n')
    await using one = csv.connect()
    await using two = csv.connect()
    const pages = Array.from({ length: 10 }, (_, page) =>
      put(page % 2 ? one : two, ...Array.from({ length: 5 }, (_, n) => create({ uid: `${page}-${n}` }))),
    )
    expect((await Promise.all(pages)).flat().every(({ ok }) => ok)).toBe(true)
    expect(await objectsOf(one)).toHaveLength(50)
    expect(await readdir(csv.folder)).toEqual(['people.csv'])
  })
})

describe('what a dead process left behind', () => {
  it.each([
    ['of another pid', { pid: 2 ** 22 + 1, started: 1 }],
    ['of the same pid, as containers have it', { pid: process.pid, started: 1 }],
    ['on another host', { pid: 1, started: 1, host: 'elsewhere' }],
    ['before it could say who it was', undefined],
  ])('%s is removed by the next user of the file', async (_, holder) => {
    // Of a process on another host it is waited long enough that it must have ended; here time passes faster.
    const now = performance.now.bind(performance)
    using _clock = vi.spyOn(performance, 'now').mockImplementation(() => now() * 1000)
    for (const use of [
      (connector: CsvConnector) => put(connector, create({ uid: '1' })),
      (connector: CsvConnector) => objectsOf(connector),
    ]) {
      await using csv = await leftBehind(holder)
      await using connector = csv.connect()
      await use(connector)
      expect(await readdir(csv.folder)).toEqual(['people.csv'])
    }
  })

  it('is ignored by a read-only process', async () => {
    await using csv = await leftBehind({ pid: 2 ** 22 + 1 })
    await chmod(csv.folder, 0o500)
    await using connector = csv.connect()
    expect(await objectsOf(connector)).toEqual([])
    await chmod(csv.folder, 0o700)
  })

  async function leftBehind(holder: object | undefined) {
    const csv = await temporaryCsv('uid,a\n')
    const lock = join(csv.folder, '.people.csv.syncline-lock')
    await writeFile(lock, holder ? JSON.stringify({ host: hostname(), ...holder }) : '')
    await utimes(lock, 1000, 1000)
    await writeFile(join(csv.folder, '.people.csv.syncline-new-1'), 'half')
    return csv
  }
})

describe('the replaced file', () => {
  it('has the permissions of the old one', async () => {
    await using csv = await temporaryCsv('uid\n1\n')
    await chmod(csv.file, 0o640)
    await using connector = csv.connect()
    await put(connector, create({ uid: '2' }))
    await put(connector, remove('1'))
    expect((await stat(csv.file)).mode & 0o777).toBe(0o640)
  })

  it('stays behind the link that leads to it', async () => {
    await using csv = await temporaryCsv()
    await mkdir(join(csv.folder, 'real'))
    await writeFile(join(csv.folder, 'real', 'data.csv'), 'uid\n')
    await symlink(join(csv.folder, 'real', 'data.csv'), csv.file)
    await using connector = csv.connect()
    await put(connector, create({ uid: '1' }))
    expect((await lstat(csv.file)).isSymbolicLink()).toBe(true)
    expect(await csv.text()).toBe('uid\n"1"\n')
  })
})

describe('a disk that takes no more', () => {
  it('leaves the old file, and the Problem says why', async () => {
    const rows = Array.from({ length: 3000 }, (_, n) => `${n},${'x'.repeat(20)}\n`).join('')
    await using csv = await temporaryCsv(`uid,a\n${rows}`)
    const before = await csv.text()
    // A limit on file sizes fails the write in its middle as a full disk does, and needs no rights.
    const child = join(import.meta.dirname, 'testing', 'write-page.ts')
    const command = `trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`
    const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, child, csv.file])
    expect(stdout).toMatch(/^CONNECTOR_FAILED .*people\.csv cannot be written: it would be larger/)
    expect(await csv.text()).toBe(before)
    expect(await readdir(csv.folder)).toEqual(['people.csv'])
  })
})

describe('a large page', () => {
  it('of 20,000 rows is written and read back', async () => {
    await using csv = await temporaryCsv('uid,a\n')
    await using connector = csv.connect()
    await put(
      connector,
      ...Array.from({ length: 20_000 }, (_, n) => create({ uid: `u${n}`, a: `value ${n}` })),
    )
    await put(connector, ...Array.from({ length: 10_000 }, (_, n) => update(`u${n * 2}`, { a: 'even' })))
    const objects = await objectsOf(connector)
    expect(objects).toHaveLength(20_000)
    expect(objects.filter(({ a }) => a === 'even')).toHaveLength(10_000)
  })
})

describe('the kind of connector', () => {
  it('describes every setting, with a default unless it has none', () => {
    const { properties } = csvKind.configurationSchema as { properties: Record<string, JsonObject> }
    for (const property of Object.values(properties)) expect(property.description).toMatch(/[.`]$/)
    expect(Object.keys(properties).filter((name) => properties[name]?.default === undefined)).toEqual([
      'csvFile',
      'headerName',
    ])
  })
})
