import { readFileSync } from 'node:fs'
import { timeZone } from '../zone.ts'

/** An expression whose firings over twelve days are known, found without any search. */
export interface Reference {
  readonly what: string
  readonly expression: string
  /** Does it fire when the zone's clock shows this? */
  readonly matches: (local: Date) => boolean
  readonly from: number
}

export const zone = timeZone('Europe/Berlin')
export const days = 12 * 24 * 3_600_000

export const references: readonly Reference[] = [
  {
    what: 'every second of twelve days around the change to summer',
    ...{ expression: '* * * * * ?', matches: () => true, from: Date.UTC(2026, 2, 23) },
  },
  {
    what: 'every second of twelve days around the change to winter',
    ...{ expression: '* * * * * ?', matches: () => true, from: Date.UTC(2026, 9, 19) },
  },
  {
    what: 'odd seconds of some hours',
    expression: '1/2 * 1-3,20 * * ?',
    matches: (local) => local.getUTCSeconds() % 2 === 1 && [1, 2, 3, 20].includes(local.getUTCHours()),
    from: Date.UTC(2026, 2, 23),
  },
]

/** Firings at even distances, in milliseconds: from the first to the last one. */
export type Span = readonly [first: number, last: number, distance: number]

/** Every second of the zone's clock in order, each time once: the plain definition. */
export function spansOf({ matches, from }: Reference): Span[] {
  const to = from + days
  const due = new Set<number>()
  for (let local = from - 7_200_000; local < to + 7_200_000; local += 1000)
    if (matches(new Date(local))) due.add(zone.instantOf(local))
  const spans: [number, number, number][] = []
  for (const instant of [...due].sort((a, b) => a - b)) {
    if (instant < from || instant >= to) continue
    const span = spans.at(-1)
    if (!span || (span[2] !== 0 && instant - span[1] !== span[2])) spans.push([instant, instant, 0])
    else spans[spans.length - 1] = [span[0], instant, instant - span[1]]
  }
  return spans
}

export function* firingsIn(spans: readonly Span[]): Iterable<number> {
  for (const [first, last, distance] of spans) for (let at = first; at <= last; at += distance || 1) yield at
}

const file = new URL('firings.json', import.meta.url)

/** The spans of all references, computed beforehand by `node src/schedule/testing/write-firings.ts`. */
export function knownSpans(): readonly (readonly Span[])[] {
  return JSON.parse(readFileSync(file, 'utf8'))
}
