import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import { Secret } from '../kit/values.ts'
import { XmlReader } from './reader.ts'
import { document, listed, temporaryXml, usual } from './testing/temporary.ts'

const account = (id: string, more = '') =>
  `  <ri:__ACCOUNT__>
    <icf:__UID__>${id}</icf:__UID__>
    <icf:__NAME__>${id}@example.com</icf:__NAME__>
    ${more}
  </ri:__ACCOUNT__>`

const three = (more: string) => document([account('a'), account('b', more), account('c')].join('\n'))

describe('reading an XML file', () => {
  it('gives values the types of the schema, and whole numbers of any size', async () => {
    const values = `<ri:age> 42 </ri:age><ri:active>1</ri:active><ri:photo>AP8=</ri:photo><icf:__PASSWORD__>x</icf:__PASSWORD__>
      <ri:tags>one</ri:tags><ri:tags><![CDATA[<two>]]></ri:tags><ri:mail>Zoë &amp; &#233;</ri:mail><ri:unknown>1</ri:unknown>`
    await using xml = await temporaryXml(three(values))
    await using connector = xml.connect()
    const read = await connector.readMany('__ACCOUNT__', ['b'])
    expect(read.get('b')).toEqual({
      _id: 'b',
      __NAME__: 'b@example.com',
      __PASSWORD__: new Secret('x'),
      age: 42,
      active: true,
      photo: Uint8Array.of(0, 255),
      tags: ['one', '<two>'],
      mail: 'Zoë & é',
    })
    await xml.put(three('<ri:age>9007199254740993</ri:age>'))
    const again = await connector.readMany('__ACCOUNT__', ['b'], ['age'])
    expect(again.get('b')).toEqual({ _id: 'b', age: '9007199254740993' })
  })

  it('takes the name as the id where the schema has no __UID__, and an empty element as no value', async () => {
    await using xml = await temporaryXml(three('<ri:mail/><ri:tags>\n</ri:tags>'), usual)
    await using connector = xml.connect()
    const read = await connector.readMany('__ACCOUNT__', ['b@example.com'])
    expect(read.get('b@example.com')).toEqual({ _id: 'b@example.com', __NAME__: 'b@example.com' })
  })

  it('tells types apart, and takes nothing else for an object', async () => {
    const group = '<ri:__GROUP__><icf:__NAME__>g</icf:__NAME__><ri:size>3</ri:size></ri:__GROUP__>'
    await using xml = await temporaryXml(
      document(`${account('a')}<!-- <ri:__ACCOUNT__/> -->${group}<ri:other/>`),
    )
    await using connector = xml.connect()
    expect(await listed(connector)).toEqual({ lines: ['a'], listing: { state: 'complete' } })
    expect(await listed(connector, '__GROUP__')).toEqual({ lines: ['g'], listing: { state: 'complete' } })
    await expect(listed(connector, 'other')).rejects.toThrow('it has: __ACCOUNT__, __GROUP__')
  })

  it('finds the same objects wherever the bytes are cut', () => {
    const bytes = Buffer.from(three('<ri:mail x="a>b">Zoë > 😀</ri:mail><!-- <a> > --><?p <b> ?>'))
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new XmlReader()
      const parts = [bytes.subarray(0, cut), bytes.subarray(cut)]
      const found = [...parts.flatMap((part) => reader.push(part)), ...reader.end()]
      const texts = found.map(({ start, end }) => bytes.subarray(start, end).toString())
      expect(texts.map((text) => /^<ri:__ACCOUNT__>[\s\S]*<\/ri:__ACCOUNT__>$/.test(text))).toEqual([
        true,
        true,
        true,
      ])
      const mail = found[1]?.elements.at(-1)
      expect(mail?.text).toBe('Zoë > 😀')
      expect(bytes.subarray(mail?.start, mail?.end).toString()).toBe('<ri:mail x="a>b">Zoë > 😀</ri:mail>')
    }
  })

  it('hands objects out as they end: it keeps none', () => {
    const reader = new XmlReader()
    const [head = '', ...tail] = document(
      Array.from({ length: 50 }, (_, n) => account(`u${n}`)).join('\n'),
    ).split('</ri:__ACCOUNT__>')
    expect(reader.push(Buffer.from(head))).toEqual([])
    for (const part of tail) expect(reader.push(Buffer.from(`</ri:__ACCOUNT__>${part}`))).toHaveLength(1)
  })
})

describe('an object with an error', () => {
  it.each([
    ['<ri:age>old</ri:age>', 'line 11, column 5: age is not a whole number', 'complete'],
    ['<ri:mail>a</ri:mail><ri:mail>b</ri:mail>', 'line 11, column 5: mail has several values', 'complete'],
    ['<ri:mail><b/></ri:mail>', 'line 11, column 14: the element b within ri:mail', 'complete'],
    ['text', 'text outside the elements of ri:__ACCOUNT__', 'complete'],
  ])('is unreadable, with its place, and the others are read: %s', async (more, fact, state) => {
    await using xml = await temporaryXml(three(more))
    await using connector = xml.connect()
    const { lines, listing } = await listed(connector)
    expect(lines.map((line) => line.split(':')[0])).toEqual(['a', 'c', 'b'])
    expect(lines[2]).toContain(fact)
    expect(listing?.state).toBe(state)
    expect(isUnreadable((await connector.readMany('__ACCOUNT__', ['b'])).get('b'))).toBe(true)
    await expect(connector.test()).rejects.toThrow(fact)
  })

  it('makes the listing partial if it has no id, and suspect if it has that of another one', async () => {
    const nameless = '<ri:__ACCOUNT__><ri:mail>x</ri:mail></ri:__ACCOUNT__>'
    await using xml = await temporaryXml(document(account('a') + nameless))
    await using connector = xml.connect()
    const first = await listed(connector)
    expect(first.lines).toEqual(['a'])
    expect(first.listing).toMatchObject({
      state: 'partial',
      reason: expect.stringContaining('without an id'),
    })
    expect(isUnreadable((await connector.readMany('__ACCOUNT__', ['x'])).get('x'))).toBe(true)
    await xml.put(document(account('a') + account('a')))
    expect((await listed(connector)).listing?.state).toBe('suspect')
  })
})

describe('a damaged document', () => {
  it.each([
    ['is cut off', (text: string) => text.slice(0, -20)],
    ['is cut off within an object', (text: string) => text.slice(0, text.indexOf('>c<'))],
    ['has a wrong end tag', (text: string) => text.replace('c</icf:__UID__>', 'c</icf:__UID>')],
    ['has an unknown entity', (text: string) => text.replace('>c<', '>&c;<')],
  ])('is read up to the damage if it %s, never a complete listing, and not written', async (_, damage) => {
    await using xml = await temporaryXml(damage(three('')))
    await using connector = xml.connect()
    const { lines, listing } = await listed(connector)
    expect(lines.slice(0, 2)).toEqual(['a', 'b'])
    expect(listing).toMatchObject({ state: 'partial', reason: expect.stringMatching(/line \d+, column \d+/) })
    expect((await connector.readMany('__ACCOUNT__', ['a'])).get('a')).toMatchObject({ _id: 'a' })
    expect(isUnreadable((await connector.readMany('__ACCOUNT__', ['z'])).get('z'))).toBe(true)
    const before = await xml.text()
    const removal = connector.writeMany('__ACCOUNT__', [{ operation: 'delete', id: 'a' }])
    await expect(removal).rejects.toThrow('Nothing is written into a damaged document')
    expect(await xml.text()).toBe(before)
  })

  it('may have bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(three('<ri:mail>?</ri:mail>'))
    bytes[bytes.indexOf('?</ri:mail>')] = 0xe9
    await using xml = await temporaryXml(bytes)
    const { listing } = await listed(xml.connect())
    expect(listing).toMatchObject({ state: 'partial', reason: expect.stringContaining('line 11') })
  })

  it('is refused if it is another document, in another encoding, or has a document type', async () => {
    const type = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>\n<icf:OpenICFContainer'
    await using xml = await temporaryXml(three('').replace('<icf:OpenICFContainer', type))
    await using connector = xml.connect()
    await expect(listed(connector)).rejects.toThrow(/line 2, column \d+: a document type declaration/)
    await xml.put('<people/>')
    await expect(listed(connector)).rejects.toThrow('the root element is people')
    await xml.put(three('').replace('UTF-8', 'ISO-8859-1'))
    await expect(listed(connector)).rejects.toThrow('the encoding is ISO-8859-1; save the file as UTF-8')
  })
})

describe('the schema', () => {
  it('comes from the document where there is no XML Schema, and then nothing is written', async () => {
    await using xml = await temporaryXml(three('<ri:tags>x</ri:tags><ri:tags>y</ri:tags>'))
    await using connector = xml.connect({ xsdFilePath: null })
    const { attributes = [], operations } = (await connector.schema()).__ACCOUNT__ ?? {}
    expect(attributes.map(({ name, multivalued }) => [name, multivalued])).toEqual([
      ['__NAME__', false],
      ['tags', true],
    ])
    expect(operations).not.toContain('UPDATE')
    const read = await connector.readMany('__ACCOUNT__', ['b'])
    expect(read.get('b')).toEqual({ _id: 'b', __NAME__: 'b@example.com', tags: ['x', 'y'] })
    const removal = connector.writeMany('__ACCOUNT__', [{ operation: 'delete', id: 'a' }])
    await expect(removal).rejects.toThrow('xsdFilePath is missing')
  })

  it('follows flags and guarded types of annotations, also of attributes that are only referred to', async () => {
    const note = (content: string) => `<xsd:annotation><xsd:appinfo>${content}</xsd:appinfo></xsd:annotation>`
    const pin = note('<icf:javaclass>org.identityconnectors.common.security.GuardedString</icf:javaclass>')
    const made = note('<icf:flag>NOT_UPDATEABLE</icf:flag>')
    const elements = `<xsd:element ref="icf:__NAME__"/><xsd:element name="pin" type="xsd:string">${pin}</xsd:element>
      <xsd:element name="made" type="xsd:long" minOccurs="0">${made}</xsd:element><xsd:element ref="icf:__HIDDEN__"/>`
    await using xml = await temporaryXml(document(''), elements)
    const hidden = `<xsd:element name="__HIDDEN__" type="xsd:boolean">${note('<icf:flag>NOT_READABLE</icf:flag>')}</xsd:element>`
    const names = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:icf="urn:icf" targetNamespace="urn:icf"'
    await writeFile(join(xml.folder, 'icf.xsd'), `<xsd:schema ${names}>${hidden}</xsd:schema>`)
    const { attributes = [] } = (await xml.connect({ xsdIcfFilePath: 'icf.xsd' }).schema()).__ACCOUNT__ ?? {}
    expect(attributes).toMatchObject([
      { name: '__NAME__', required: true, unique: true },
      { name: 'pin', secret: true, required: true },
      { name: 'made', type: 'integer', required: false, updateable: false },
      { name: '__HIDDEN__', type: 'boolean', readable: false },
    ])
  })

  it('says what is wrong with its file', async () => {
    await using xml = await temporaryXml(document(''))
    await expect(xml.connect({ xsdFilePath: 'none.xsd' }).schema()).rejects.toThrow(
      /none\.xsd cannot be read/,
    )
    await expect(xml.connect({ xsdFilePath: 'people.xml' }).schema()).rejects.toThrow('not a schema')
  })
})

describe('a file that is not there', () => {
  it('is an error, or is created without objects where that is configured', async () => {
    await using xml = await temporaryXml(undefined)
    await expect(listed(xml.connect())).rejects.toThrow('there is no such file')
    await using connector = xml.connect({ createFileIfNotExists: true })
    expect(await listed(connector)).toEqual({ lines: [], listing: { state: 'complete' } })
    await connector.writeMany('__ACCOUNT__', [
      { operation: 'create', id: 'a', attributes: { __NAME__: 'A' } },
    ])
    expect((await listed(connector)).lines).toEqual(['a'])
  })
})
