import fc from 'fast-check'
import { expect, it } from 'vitest'
import { situations } from '../../mapping/situation.ts'
import { Problem } from '../../model/problem.ts'
import { type Operation, sourceOperation, targetOperation } from '../page/operation.ts'
import { Statistics } from './statistics.ts'

const failure = new Problem('SYNC_FAILED', 'no')
const link = { sourceId: 's', targetId: 't' } as unknown as Operation['link']

const operations = fc
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
  .map(({ id, isTarget, changes }): Operation => {
    const blank = isTarget ? targetOperation(id, 'default') : sourceOperation(id, undefined, 'default')
    return { ...blank, ...changes }
  })

it('a page that is taken back leaves the counts as they were', () => {
  fc.assert(
    fc.property(fc.array(operations), fc.array(operations), (kept, dropped) => {
      const statistics = new Statistics()
      const shown = () => {
        const { progress, situationSummary, status } = statistics
        const phases = [statistics.phase('source'), statistics.phase('target')]
        return structuredClone({ progress, situationSummary, status, phases })
      }
      for (const operation of kept) statistics.count(operation)
      const before = shown()
      for (const operation of dropped) statistics.count(operation)
      for (const operation of dropped.toReversed()) statistics.discount(operation)
      expect(shown()).toEqual(before)
    }),
  )
})
