import fc from 'fast-check'
import { expect, it } from 'vitest'
import { situations } from '../../mapping/situation.ts'
import { Problem } from '../../model/problem.ts'
import type { MappingLink } from '../page/links.ts'
import { type Applied, nothingApplied, nothingDecided } from '../page/operation.ts'
import { Statistics } from './statistics.ts'

const failure = new Problem('SYNC_FAILED', 'no')
const link = { sourceId: 's', targetId: 't' } as unknown as MappingLink

const pages = fc.array(
  fc
    .record({
      id: fc.string(),
      isTarget: fc.boolean(),
      changes: fc.record(
        {
          situation: fc.constantFrom(...situations),
          failure: fc.constant(failure),
          effect: fc.constantFrom('none', 'created', 'updated', 'unchanged', 'deleted'),
          linkCreated: fc.boolean(),
          link: fc.constant(link),
        },
        { requiredKeys: [] },
      ),
    })
    .map(({ id, isTarget, changes }) => {
      const ends = isTarget ? { phase: 'target', targetId: id } : { phase: 'source', sourceId: id }
      return {
        ...nothingDecided,
        ...nothingApplied,
        candidates: [],
        ...ends,
        ...changes,
      } as unknown as Applied
    }),
)

it('a page that is not kept leaves the counts as they were, however often it is counted', () => {
  fc.assert(
    fc.property(pages, pages, (kept, dropped) => {
      const shown = (statistics: Statistics) => {
        const { progress, situationSummary, status } = statistics
        const phases = [statistics.phase('source'), statistics.phase('target')]
        return structuredClone({ progress, situationSummary, status, phases })
      }
      const statistics = new Statistics().plus(kept)
      const before = shown(statistics)
      const first = shown(statistics.plus(dropped))
      expect(shown(statistics.plus(dropped))).toEqual(first)
      expect(shown(statistics)).toEqual(before)
    }),
  )
})
