import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import fc from 'fast-check'
import { BerWriter, PresenceFilter } from 'ldapts'
import { describe, expect, it } from 'vitest'
import { EntryReader } from './entry-reader.ts'
import { Searches } from './searches.ts'

const question = {
  filter: new PresenceFilter({ attribute: 'objectClass' }),
  scope: 'sub',
  attributes: ['*'],
  page: undefined,
} as const

describe('answers to searches', () => {
  it('are found wherever the network cuts them, and the client gets all else, message by message', async () => {
    await using server = await fakeServer()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { maxLength: 8 }), async (cuts) => {
        const heard: Buffer[] = []
        await using line = await server.line((chunk) => heard.push(chunk))
        const { id, answer } = line.searches.ask('dc=x', { ...question, reader: new EntryReader([]) })
        const forClient = [message(7, 0x67, ''), message(0, 0x78, 'goodbye')]
        const all = [
          entry(id, 'cn=a'),
          forClient[0],
          entry(id, 'cn=b'.padEnd(300, 'b')),
          forClient[1],
          done(id, 0),
        ]
        await line.say(Buffer.concat(all.filter((one) => one !== undefined)), cuts)
        const { entries, failure, cookie } = await answer
        expect(entries.map(({ dn }) => dn)).toEqual(['cn=a', 'cn=b'.padEnd(300, 'b')])
        expect([failure, cookie]).toEqual([undefined, undefined])
        expect(heard).toEqual(forClient)
      }),
      { numRuns: 50 },
    )
  })

  it('that nobody wants any more are thrown away, and the next search has its own', async () => {
    await using server = await fakeServer()
    await using line = await server.line(() => expect.unreachable())
    const reader = new EntryReader([])
    const first = line.searches.ask('dc=x', { ...question, reader })
    line.searches.abandon(first.id)
    const second = line.searches.ask('dc=x', { ...question, reader })
    await line.say(
      Buffer.concat([
        entry(first.id, 'cn=late'),
        done(first.id, 0),
        entry(second.id, 'cn=own'),
        done(second.id, 0),
      ]),
    )
    expect((await second.answer).entries).toEqual([{ dn: 'cn=own' }])
  })

  it('that come before a limit come with it', async () => {
    await using server = await fakeServer()
    await using line = await server.line(() => expect.unreachable())
    const { id, answer } = line.searches.ask('dc=x', { ...question, reader: new EntryReader([]) })
    await line.say(Buffer.concat([entry(id, 'cn=a'), done(id, 4)]))
    expect(await answer).toMatchObject({ entries: [{ dn: 'cn=a' }], failure: { code: 4 } })
  })

  it.each([
    ['an unknown form of length', Buffer.from([0x30, 0x80, 0, 0])],
    ['no LDAP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['an entry that is longer than its message', Buffer.from('300a0204400000006484000000ff', 'hex')],
  ])('that are %s end the connection, with an error for each search', async (_, bytes) => {
    await using server = await fakeServer()
    await using line = await server.line(() => undefined)
    const { answer } = line.searches.ask('dc=x', { ...question, reader: new EntryReader([]) })
    await line.say(bytes)
    await expect(answer).rejects.toThrow(/cannot be understood/)
  })

  it('are not waited for on a connection that was closed before', async () => {
    await using server = await fakeServer()
    await using line = await server.line(() => undefined)
    await line.end()
    const { answer } = line.searches.ask('dc=x', { ...question, reader: new EntryReader([]) })
    await expect(answer).rejects.toThrow('The connection was closed')
  })

  it('that stop coming end with the time limit', async () => {
    await using server = await fakeServer()
    await using line = await server.line(() => undefined, 30)
    const { id, answer } = line.searches.ask('dc=x', { ...question, reader: new EntryReader([]) })
    await line.say(entry(id, 'cn=a'))
    await expect(answer).rejects.toThrow('timed out')
  })
})

function message(id: number, tag: number, text: string, content?: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeInt(id)
  writer.startSequence(tag)
  if (content) content(writer)
  else writer.writeString(text)
  writer.endSequence()
  writer.endSequence()
  return writer.buffer
}

function entry(id: number, dn: string): Buffer {
  return message(id, 0x64, '', (writer) => {
    writer.writeString(dn)
    writer.startSequence()
    writer.endSequence()
  })
}

function done(id: number, code: number): Buffer {
  return message(id, 0x65, '', (writer) => {
    writer.writeEnumeration(code)
    writer.writeString('')
    writer.writeString('')
  })
}

interface Line extends AsyncDisposable {
  readonly searches: Searches
  /** Sends bytes, in pieces that end at these places. */
  say(bytes: Buffer, cuts?: readonly number[]): Promise<void>
  /** As a server that goes down. */
  end(): Promise<unknown>
}

async function fakeServer(): Promise<
  AsyncDisposable & { line(heard: (chunk: Buffer) => unknown, timeout?: number): Promise<Line> }
> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    async line(heard, timeout = 60_000) {
      const arriving = once(server, 'connection')
      const socket = connect(port, '127.0.0.1').on('data', heard)
      const [other] = await arriving
      other.on('error', () => undefined)
      other.resume()
      return {
        searches: new Searches(socket, timeout),
        async say(bytes, cuts = []) {
          const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
          for (const [n, place] of places.entries()) {
            const piece = bytes.subarray(place, places[n + 1])
            // The client's end is told directly: a network would join what is sent in pieces.
            if (piece.length > 0) socket.emit('data', Buffer.from(piece))
          }
        },
        end: () => Promise.all([once(socket, 'close'), other.destroy()]),
        async [Symbol.asyncDispose]() {
          socket.destroy()
          other.destroy()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}
