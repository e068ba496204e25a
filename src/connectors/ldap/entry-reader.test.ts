import fc from 'fast-check'
import { BerReader, BerWriter, SearchEntry } from 'ldapts'
import { describe, expect, it } from 'vitest'
import { hostileTexts } from '../kit/contract/hostile.ts'
import { MalformedMessage } from './ber.ts'
import { EntryReader } from './entry-reader.ts'

type Attributes = readonly (readonly [string, readonly Uint8Array[]])[]

/** The content of a SearchResultEntry. */
function encoded(dn: string, attributes: Attributes): Buffer {
  const writer = new BerWriter()
  writer.writeString(dn)
  writer.startSequence()
  for (const [name, values] of attributes) {
    writer.startSequence()
    writer.writeString(name)
    writer.startSequence(0x31)
    for (const value of values) writer.writeBuffer(Buffer.from(value), 0x04)
    writer.endSequence()
    writer.endSequence()
  }
  writer.endSequence()
  return writer.buffer
}

const text = (value: string) => new TextEncoder().encode(value)
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...hostileTexts),
  fc.string({ minLength: 200 }),
)
const values = fc.oneof(texts.map(text), fc.uint8Array({ maxLength: 300 }))
const attributes = fc.uniqueArray(
  fc.tuple(fc.stringMatching(/^[a-z][a-zA-Z;-]{0,20}$/), fc.array(values, { maxLength: 4 })),
  {
    selector: ([name]) => name.toLowerCase(),
  },
)

describe('an entry', () => {
  it('is read from its bytes as the client library reads it, with any values', () => {
    const reader = new EntryReader(['photo'])
    fc.assert(
      fc.property(texts, attributes, (dn, some) => {
        const all: Attributes = [
          ...some.filter(([name]) => name !== 'photo'),
          ['photo', [text('looks like text')]],
        ]
        const bytes = encoded(dn, all)
        const other = new SearchEntry({ messageId: 1 })
        other.parseMessage(new BerReader(bytes))
        expect(reader.read(bytes, 0, bytes.length)).toEqual(other.toObject([], ['photo']))
      }),
    )
  })

  it('keeps bytes of its own: what arrives next may take the place of what arrived before', () => {
    const bytes = encoded('cn=a', [['photo', [Uint8Array.of(1, 2, 3)]]])
    const entry = new EntryReader(['photo']).read(bytes, 0, bytes.length)
    bytes.fill(0)
    expect(entry).toEqual({ dn: 'cn=a', photo: Buffer.of(1, 2, 3) })
  })

  it('that is cut or changed anywhere is refused or read, and nothing is read beyond its end', () => {
    const whole = encoded('cn=a', [
      ['cn', [text('a'), text('b')]],
      ['photo', [Uint8Array.of(255)]],
    ])
    const padded = Buffer.concat([whole, Buffer.alloc(64, 0x30)])
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (place, byte, end) => {
        const changed = Buffer.from(padded)
        changed[place] = byte
        try {
          const entry = new EntryReader([]).read(changed, 0, end)
          expect(JSON.stringify(entry).length).toBeLessThan(10 * whole.length)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
        }
      }),
    )
  })
})
