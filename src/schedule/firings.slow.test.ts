import { describe, expect, it } from 'vitest'
import { parseCron } from './cron.ts'
import { nextFiring } from './next-firing.ts'
import { firingsIn, knownSpans, references, spansOf, zone } from './testing/firings.ts'

const known = knownSpans()

describe('two million firings over both changes of the clock', () => {
  it.each(references.map(({ what, expression, from }, index) => [what, expression, from, index] as const))(
    'agree with the reference: %s',
    (_what, expression, from, index) => {
      const cron = parseCron(expression)
      let at = from - 1
      let count = 0
      for (const expected of firingsIn(known[index] ?? [])) {
        at = nextFiring(cron, at, zone) as number
        if (at !== expected)
          expect([count, new Date(at).toISOString()]).toEqual([count, new Date(expected).toISOString()])
        count++
      }
      expect(count).toBeGreaterThan(expression.startsWith('*') ? 1_030_000 : 80_000)
    },
  )
})

it.each(references.map((reference, index) => [reference.what, reference, index] as const))(
  'the reference that was computed beforehand is that of the plain definition: %s',
  (_what, reference, index) => {
    expect(spansOf(reference)).toEqual(known[index])
  },
)
