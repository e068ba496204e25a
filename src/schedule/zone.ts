/** Converts between instants and local times of a time zone. Transitions are computed once for each year and zone. */
export interface Zone {
  /** Milliseconds that the local clock is ahead of UTC at an instant. */
  offsetAt(instant: number): number
  /**
   * The instant of a local time (given as if it were UTC). For a time that occurs twice, the first instant; for a skipped
   * time, later by the length of the gap.
   */
  instantOf(local: number): number
  /** The gap that contains a skipped time. */
  gapOf(local: number): Gap | undefined
  /** The gap whose skipped times have not all fired yet: it began less than its own length before the instant. */
  gapBefore(instant: number): Gap | undefined
}

/** Local times that are skipped when the clock is put forward. */
export interface Gap {
  /** The first local time after the gap, as if it were UTC. */
  readonly end: number
  /** The offset from UTC before the gap. */
  readonly offset: number
}

const hour = 3_600_000
const day = 24 * hour

/** RangeError for an unknown zone. Undefined: that of this machine. */
export function timeZone(name: string | undefined): Zone {
  const resolved = name ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const known = zones.get(resolved) ?? new NamedZone(resolved)
  zones.set(resolved, known)
  return known
}

const zones = new Map<string, Zone>()

/** From `since` on. */
interface Period {
  readonly since: number
  readonly offset: number
}

class NamedZone implements Zone {
  readonly #format: Intl.DateTimeFormat
  readonly #years = new Map<number, readonly Period[]>()

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  offsetAt(instant: number): number {
    let found = 0
    // The first one begins before any instant of its year.
    for (const { since, offset } of this.#periodsAt(instant)) if (since <= instant) found = offset
    return found
  }

  instantOf(local: number): number {
    // The clock showed this within a day of the same time in UTC, by one of the offsets around it.
    const [before, after] = [this.offsetAt(local - day), this.offsetAt(local + day)]
    if (before === after && this.offsetAt(local - before) === before) return local - before
    const shown = [local - before, local - after].filter(
      (instant) => this.offsetAt(instant) === local - instant,
    )
    return shown.length > 0 ? Math.min(...shown) : local - before
  }

  gapOf(local: number): Gap | undefined {
    return this.#gaps(local).find(({ end, length }) => local < end && local >= end - length)
  }

  gapBefore(instant: number): Gap | undefined {
    return this.#gaps(instant).find(({ at, length }) => instant >= at && instant < at + length)
  }

  /** Of its year. */
  #gaps(instant: number): readonly (Gap & { readonly at: number; readonly length: number })[] {
    return this.#periodsAt(instant).flatMap(({ since, offset }, index, all) => {
      const before = all[index - 1]?.offset
      if (before === undefined || offset <= before) return []
      return [{ at: since, end: since + offset, offset: before, length: offset - before }]
    })
  }

  /** Of its year. */
  #periodsAt(instant: number): readonly Period[] {
    const year = new Date(instant).getUTCFullYear()
    const known = this.#years.get(year)
    if (known) return known
    const [start, end] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)]
    let offset = this.#measured(start)
    const periods: Period[] = [{ since: start, offset }]
    for (let at = start; at < end; at += day) {
      const after = this.#measured(at + day)
      if (after === offset) continue
      periods.push({ since: this.#changeBetween(at, at + day, offset), offset: after })
      offset = after
    }
    this.#years.set(year, periods)
    return periods
  }

  /** To the second. */
  #changeBetween(from: number, to: number, before: number): number {
    let [low, high] = [from / 1000, to / 1000]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#measured(middle * 1000) === before) low = middle
      else high = middle
    }
    return high * 1000
  }

  /** Exact to the second, and slow. */
  #measured(instant: number): number {
    const parts: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(instant)) parts[type] = Number(value)
    const { year = 0, month = 1, day: date = 1, hour: hours = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, date, hours, minute, second) - Math.floor(instant / 1000) * 1000
  }
}
