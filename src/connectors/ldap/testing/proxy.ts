import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server of this machine, as a firewall does. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** How many connections there have been. */
  readonly count: number
  /** How many there are now. */
  readonly open: number
  /** Bytes that have come from the server. */
  readonly received: number
  /** Ends all connections, without a word to either side. */
  cut(): void
}

export async function proxyTo(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let count = 0
  let received = 0
  const server = createServer((client) => {
    count++
    const target = connect(port, '127.0.0.1')
    target.on('data', (bytes) => {
      received += bytes.length
    })
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get count() {
      return count
    },
    get open() {
      return sockets.size / 2
    },
    get received() {
      return received
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
