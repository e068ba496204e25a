import type { Cron } from './cron.ts'
import { nextFiring } from './next-firing.ts'
import type { Zone } from './zone.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** A time without runs, longer than any other of its days. */
export interface Pause {
  readonly from: number
  readonly minutes: number
}

/**
 * Where a schedule that runs several times an hour pauses, because the clock of its zone is put back and each local time fires
 * once (platform §8, [D]). Undefined if it does not, within the year after `now`.
 */
export function pauseAtClockChange(cron: Cron, zone: Zone, now: number): Pause | undefined {
  if (cron.minutes.length * cron.seconds.length < 2) return undefined
  const change = clockPutBack(zone, now)
  if (change === undefined) return undefined
  const usual = longestGap(cron, zone, change - 8 * day, 24)
  const then = longestGap(cron, zone, change - 3 * 60 * minute, 6)
  if (!usual || !then || usual.minutes >= 60 || then.minutes <= usual.minutes) return undefined
  return then
}

function clockPutBack(zone: Zone, now: number): number | undefined {
  for (let at = now; at < now + 366 * day; at += day) {
    if (zone.offsetAt(at + day) >= zone.offsetAt(at)) continue
    let [low, high] = [at, at + day]
    while (high - low > minute) {
      const middle = Math.floor((low + high) / 2)
      if (zone.offsetAt(middle) === zone.offsetAt(low)) low = middle
      else high = middle
    }
    return high
  }
  return undefined
}

/** Between two runs, within so many hours. */
function longestGap(cron: Cron, zone: Zone, start: number, hours: number): Pause | undefined {
  let longest: Pause | undefined
  let last = nextFiring(cron, start, zone)
  // A schedule of every second has no gap that is worth the time to look at each.
  for (let count = 0; last !== undefined && last < start + hours * 60 * minute && count < 2000; count++) {
    const next = nextFiring(cron, last, zone)
    if (next === undefined) break
    const minutes = Math.round((next - last) / minute)
    if (!longest || minutes > longest.minutes) longest = { from: last, minutes }
    last = next
  }
  return longest
}
