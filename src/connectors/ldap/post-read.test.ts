import { BerReader, BerWriter } from 'ldapts'
import { expect, it } from 'vitest'
import { PostRead } from './post-read.ts'

it('reads the entry that comes with the answer to a write', () => {
  const writer = new BerWriter()
  writer.startSequence(0x64)
  writer.writeString('uid=a,dc=example')
  writer.startSequence()
  writer.startSequence()
  writer.writeString('entryUUID')
  writer.startSequence(0x31)
  writer.writeString('0dc2b04c-7f3b-1041-9d38-c9fc2b79b7d6')
  for (let open = 0; open < 4; open++) writer.endSequence()
  const control = new PostRead(['entryUUID'], [])
  control.parse(new BerReader(writer.buffer))
  expect(control.entry).toEqual({ dn: 'uid=a,dc=example', entryUUID: '0dc2b04c-7f3b-1041-9d38-c9fc2b79b7d6' })
})
