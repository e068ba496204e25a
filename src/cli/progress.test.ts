import { expect, it } from 'vitest'
import { Statistics } from '../sync/reconciliation/statistics.ts'
import { position } from './progress.ts'

it('the progress of a plan that is performed is of all its entries, and that of a run of what its source counts', () => {
  const statistics = new Statistics()
  statistics.processed.source = 500
  expect(position({ statistics }, 10_000)).toEqual({ done: 500, total: 10_000 })
  statistics.totals.source = 2000
  expect(position({ statistics })).toEqual({ done: 500, total: 2000 })
})
