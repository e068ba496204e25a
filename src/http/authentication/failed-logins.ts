const freeTries = 5
const firstWait = 1_000
const longestWait = 60_000
const rememberedAddresses = 10_000

/**
 * Slows down guessing of passwords: after a few failures, an address must wait before its next try is checked, twice as
 * long each time. A success clears the failures. The number of stored addresses is limited, so that an attack from many
 * addresses does not fill the memory; the oldest are dropped first.
 */
export function failedLogins(now: () => number = Date.now) {
  const addresses = new Map<string, { failures: number; until: number }>()
  return {
    /** Milliseconds until the next try of this address is checked; 0: now. */
    waitFor: (address: string) => Math.max(0, (addresses.get(address)?.until ?? 0) - now()),
    failed(address: string): void {
      const failures = (addresses.get(address)?.failures ?? 0) + 1
      addresses.delete(address)
      addresses.set(address, { failures, until: now() + waitAfter(failures) })
      const oldest = addresses.keys().next().value
      if (addresses.size > rememberedAddresses && oldest !== undefined) addresses.delete(oldest)
    },
    succeeded: (address: string) => void addresses.delete(address),
  }
}

function waitAfter(failures: number): number {
  if (failures < freeTries) return 0
  return Math.min(longestWait, firstWait * 2 ** (failures - freeTries))
}
