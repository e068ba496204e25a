const freeTries = 5
const firstWait = 1_000
const longestWait = 60_000
const rememberedClients = 10_000

/**
 * Slows down guessing of passwords: after a few failures, a client must wait before its next try is checked, twice as
 * long each time. A success clears the failures. The number of stored clients is limited, so that an attack from many
 * addresses does not fill the memory; the oldest are dropped first. `now` must never go back, as the clock of a machine may.
 */
export function failedLogins(now: () => number = () => performance.now()) {
  const clients = new Map<string, { failures: number; until: number }>()
  return {
    /** Milliseconds until the next try of this client is checked; 0: now. */
    waitFor: (client: string) => Math.max(0, (clients.get(client)?.until ?? 0) - now()),
    failed(client: string): void {
      const failures = (clients.get(client)?.failures ?? 0) + 1
      clients.delete(client)
      clients.set(client, { failures, until: now() + waitAfter(failures) })
      const oldest = clients.keys().next().value
      if (clients.size > rememberedClients && oldest !== undefined) clients.delete(oldest)
    },
    succeeded: (client: string) => void clients.delete(client),
  }
}

function waitAfter(failures: number): number {
  if (failures < freeTries) return 0
  return Math.min(longestWait, firstWait * 2 ** (failures - freeTries))
}

/**
 * Whose failures count together. Behind a proxy that is not declared all users have the address of the proxy, and one who guesses
 * must not lock out the others: what the proxy says of them tells them apart. To invent such names does not help: the
 * password is still checked one guess at a time.
 */
export function clientOf(address: string, forwarded: string | undefined): string {
  return forwarded === undefined ? address : `${address} for ${forwarded.slice(0, 200)}`
}
