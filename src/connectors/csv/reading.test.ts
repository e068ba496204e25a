import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { renderRow } from './fields.ts'
import { RowReader } from './row-reader.ts'
import { objectsOf, temporaryCsv } from './testing/temporary.ts'

async function read(content: string | Uint8Array, configuration: JsonObject = {}) {
  await using csv = await temporaryCsv(content)
  await using connector = csv.connect(configuration)
  return await objectsOf(connector)
}

describe('a CSV file is read', () => {
  it.each<[what: string, content: string, objects: JsonObject[], configuration?: JsonObject]>([
    ['plain', 'uid,a\n1,x\n', [{ _id: '1', uid: '1', a: 'x' }]],
    ['without a last line break', 'uid,a\n1,x', [{ _id: '1', uid: '1', a: 'x' }]],
    [
      'with CRLF',
      'uid,a\r\n1,x\r\n2,y\r\n',
      [
        { _id: '1', uid: '1', a: 'x' },
        { _id: '2', uid: '2', a: 'y' },
      ],
    ],
    ['with CR only', 'uid,a\r1,x\r', [{ _id: '1', uid: '1', a: 'x' }]],
    ['with a header and nothing else', 'uid,a\n', []],
    ['with a header without line break', 'uid,a', []],
    ['with blank lines', 'uid,a\n\n1,x\n   \n\n', [{ _id: '1', uid: '1', a: 'x' }]],
    ['with blanks around fields', 'uid , a\n 1 ,\tx \n', [{ _id: '1', uid: '1', a: 'x' }]],
    ['with blanks before and after quotes', 'uid,a\n1, "x, y" \n', [{ _id: '1', uid: '1', a: 'x, y' }]],
    ['with blanks within quotes', 'uid,a\n1,"  x "\n', [{ _id: '1', uid: '1', a: 'x' }]],
    [
      'with several lines in a field',
      'uid,a\n1,"x\ny\r\nz"\n2,w\n',
      [
        { _id: '1', uid: '1', a: 'x\ny\r\nz' },
        { _id: '2', uid: '2', a: 'w' },
      ],
    ],
    ['with doubled quotes', 'uid,a\n1,"say ""hi"""\n', [{ _id: '1', uid: '1', a: 'say "hi"' }]],
    ['with escaped quotes', 'uid,a\n1,"say \\"hi\\""\n', [{ _id: '1', uid: '1', a: 'say "hi"' }]],
    [
      'with backslashes that escaper nothing',
      'uid,a\n1,"C:\\new"\n2,\\\\srv\\x\n',
      [
        { _id: '1', uid: '1', a: 'C:\\new' },
        { _id: '2', uid: '2', a: '\\\\srv\\x' },
      ],
    ],
    [
      'with an escaped backslash before the closing quote',
      'uid,a\n1,"C:\\\\"\n',
      [{ _id: '1', uid: '1', a: 'C:\\' }],
    ],
    ['with a quote inside an unquoted field', 'uid,a\n1,5" disk\n', [{ _id: '1', uid: '1', a: '5" disk' }]],
    [
      'with an empty cell: absent',
      'uid,a\n1,\n2,""\n',
      [
        { _id: '1', uid: '1' },
        { _id: '2', uid: '2' },
      ],
    ],
    [
      'with a quoted header over two lines',
      '"uid","first\nname"\n1,x\n',
      [{ _id: '1', uid: '1', first_name: 'x' }],
    ],
    [
      'with blanks in the header',
      'uid,First Name\n1,x\n',
      [{ _id: '1', uid: '1', 'First-Name': 'x' }],
      { spaceReplacementString: '-' },
    ],
    [
      'with another uid column',
      'a,Emp No\nx,1\n',
      [{ _id: '1', Emp_No: '1', a: 'x' }],
      { headerUid: 'Emp No' },
    ],
    [
      'with semicolons and single quotes',
      "uid;a\n1;'x;y'\n",
      [{ _id: '1', uid: '1', a: 'x;y' }],
      { fieldDelimiter: ';', quoteCharacter: "'" },
    ],
    ['with tabs', 'uid\ta\tb\n1\t\t"x\ty"\n', [{ _id: '1', uid: '1', b: 'x\ty' }], { fieldDelimiter: '\t' }],
    [
      'with a multi-byte delimiter',
      'uid§a\n1§é\n',
      [{ _id: '1', uid: '1', a: 'é' }],
      { fieldDelimiter: '§' },
    ],
    [
      'with multi-valued columns',
      'uid,a\n1,x; y;;z\n2,\n',
      [
        { _id: '1', uid: '1', a: ['x', 'y', 'z'] },
        { _id: '2', uid: '2' },
      ],
      { multivaluedColumns: ['a'] },
    ],
    [
      'with another separator',
      'uid,a\n1,x|y\n',
      [{ _id: '1', uid: '1', a: ['x', 'y'] }],
      { multivaluedColumns: ['a'], multiValueSeparator: '|' },
    ],
    [
      'with quotes that are only doubled',
      'uid,a\n1,"C:\\"\n',
      [{ _id: '1', uid: '1', a: 'C:\\' }],
      { escapeCharacter: '' },
    ],
    ['with a byte order mark', '\uFEFFuid,a\n1,é\n', [{ _id: '1', uid: '1', a: 'é' }]],
    [
      'with a column called __proto__',
      'uid,__proto__\n1,x\n',
      [JSON.parse('{"_id": "1", "uid": "1", "__proto__": "x"}')],
    ],
  ])('%s', async (_, content, objects, configuration) => {
    expect(await read(content, configuration)).toEqual(objects)
  })

  it.each([
    ['windows-1252', 'Zoë €'],
    ['iso-8859-1', 'Zoë \x80'],
    ['ISO8859_1', 'Zoë \x80'],
    ['latin-1', 'Zoë \x80'],
    ['iso-8859-15', 'Zoë \x80'],
    ['cp1250', 'Zoë €'],
  ])('in the single-byte encoding %s', async (encoding, a) => {
    const content = Buffer.from('uid,a\n1,Zo\xeb \x80\n', 'latin1')
    expect(await read(content, { encoding })).toEqual([{ _id: '1', uid: '1', a }])
  })
})

describe('a CSV file is refused', () => {
  it.each<
    [what: string, content: string | Uint8Array, code: string, message: RegExp, configuration?: JsonObject]
  >([
    ['empty', '', 'CONFIGURATION', /people\.csv is empty/],
    ['an empty column name', 'uid,,a\n', 'CONFIGURATION', /line 1: the name of column 2 is empty/],
    [
      'a repeated column name',
      'uid,a,a\n',
      'CONFIGURATION',
      /line 1: .*column 3, "a", is also that of column 2/,
    ],
    ['no uid column', 'id,a\n', 'CONFIGURATION', /no column uid \(headerUid\); it has id, a/],
    ['no name column', 'uid,a\n', 'CONFIGURATION', /no column nick \(headerName\)/, { headerName: 'nick' }],
  ])('because of %s', async (_, content, code, message, configuration) => {
    await expect(read(content, configuration)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('if it is missing, or a folder', async () => {
    await using csv = await temporaryCsv()
    await using connector = csv.connect()
    await expect(connector.test()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(csv.file),
    })
    await mkdir(csv.file)
    await expect(connector.test()).rejects.toThrow('is no file')
  })

  it('if its permissions do not allow reading', async () => {
    await using csv = await temporaryCsv('uid\n')
    await chmod(csv.file, 0)
    await using connector = csv.connect()
    using _asOther = withoutRootsPrivileges()
    await expect(connector.test()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('no longer, once it has been put right', async () => {
    await using csv = await temporaryCsv('uid,a\n1\n')
    await using connector = csv.connect()
    await expect(connector.test()).rejects.toThrow('line 2')
    await csv.put('uid,a\n1,x\n')
    expect(await objectsOf(connector)).toHaveLength(1)
    await rm(join(csv.folder, 'people.csv'))
    await expect(objectsOf(connector)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('a setting is refused', () => {
  it.each<[JsonObject, string]>([
    [{ quoteCharacter: '' }, 'quoteCharacter'],
    [{ fieldDelimiter: '||' }, 'fieldDelimiter'],
    [{ fieldDelimiter: '"' }, 'fieldDelimiter'],
    [{ escapeCharacter: ',' }, 'escapeCharacter'],
    [{ newlineString: ';' }, 'newlineString'],
    [{ encoding: 'utf-16' }, 'encoding'],
    [{ encoding: 'klingon' }, 'encoding'],
    [{ multiValueSeparator: '' }, 'multiValueSeparator'],
    [{ multivaluedColumns: 'a' }, 'multivaluedColumns'],
    [{ csvFile: 7 }, 'csvFile'],
  ])('%j, naming %s', async (configuration, name) => {
    await using csv = await temporaryCsv()
    expect(() => csv.connect(configuration)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringContaining(`configurationProperties/${name}`),
      }),
    )
  })
})

describe('rows', () => {
  const field = fc
    .string({ unit: fc.constantFrom('a', '"', '\\', ',', '\n', '\r', ' ', 'é', '😀') })
    .map((text) => text.trim())
  const rows = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  const cuts = fc.array(fc.nat(), { maxLength: 6 })
  const dialects = fc.constantFrom(
    { quote: '"', delimiter: ',', escaper: '\\' },
    { quote: '"', delimiter: ',', escaper: undefined },
  )

  it('that were rendered are read as the same values at their bytes, however the file comes in pieces', () => {
    fc.assert(
      fc.property(
        rows,
        cuts,
        dialects,
        fc.constantFrom('\n', '\r\n', '\r'),
        (wanted, places, dialect, newline) => {
          const text = wanted.map((fields) => renderRow(fields, dialect) + newline).join('')
          const reader = new RowReader(dialect, false, 0)
          const read = [
            ...piecesOf(text, places).flatMap((piece) => reader.push(piece, false)),
            ...reader.end(),
          ]
          expect(read.map(({ fields }) => fields)).toEqual(wanted)
          const bytes = Buffer.from(text)
          for (const row of read) expect(bytes.toString('utf8', row.start, row.end)).toBe(row.text)
          for (const row of read) expect(row.terminator).toBe(newline.length)
        },
      ),
    )
  })
})

function piecesOf(text: string, places: readonly number[]): readonly string[] {
  const characters = Array.from(text)
  const ends = [...places.map((place) => place % (characters.length + 1)), characters.length].toSorted(
    (a, b) => a - b,
  )
  let from = 0
  return ends.map((end) => {
    const piece = characters.slice(from, end).join('')
    from = end
    return piece
  })
}

/** Root ignores permissions, so the test runs as another user meanwhile. */
function withoutRootsPrivileges(): Disposable {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  return {
    [Symbol.dispose]() {
      if (isRoot) process.seteuid?.(0)
    },
  }
}
