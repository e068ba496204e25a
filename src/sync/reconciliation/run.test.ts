import { describe, expect, it } from 'vitest'
import { situations } from '../../mapping/situation.ts'
import { Problem } from '../../model/problem.ts'
import { Durations } from '../page/durations.ts'
import { Run } from './run.ts'

const newRun = () =>
  new Run(
    {
      ...{ id: 'r1', mapping: 'm', analysis: false, worker: 'w', keeps: undefined },
      ...{ kind: 'recon', trigger: 'cli', startedBy: 'openidm-admin' },
    },
    { sourceQuery: {} },
  )

describe('a run', () => {
  it('shows the run object of the specification while it is active', () => {
    expect(newRun().toJSON()).toMatchObject({
      _id: 'r1',
      mapping: 'm',
      ...{ kind: 'recon', trigger: 'cli', startedBy: 'openidm-admin', outcome: 'ACTIVE' },
      state: 'ACTIVE',
      stage: 'ACTIVE_INITIALIZED',
      stageDescription: 'initialized',
      progress: {
        source: { existing: { processed: 0, total: '?' } },
        target: { existing: { processed: 0, total: '?' }, created: 0, unchanged: 0, updated: 0, deleted: 0 },
        links: { existing: { processed: 0, total: '?' }, created: 0 },
      },
      situationSummary: Object.fromEntries(situations.map((situation) => [situation, 0])),
      statusSummary: { SUCCESS: 0, FAILURE: 0 },
      durationSummary: {},
      parameters: { sourceQuery: {} },
      started: expect.stringMatching(/^\d{4}-.*Z$/),
      ended: '',
      duration: expect.any(Number),
      sourceProcessedByNode: {},
    })
  })

  it.each([
    ['COMPLETED_SUCCESS', 'SUCCESS'],
    ['COMPLETED_CANCELED', 'CANCELED'],
  ] as const)('that has entered %s is %s and stays so', (stage, state) => {
    const run = newRun()
    run.enter(stage)
    run.enter('ACTIVE_RECONCILING_TARGET')
    run.cancel()
    run.close()
    run.fail(new Error('late'))
    expect([run.state, run.stage, run.problem]).toEqual([state, stage, undefined])
    expect(run.toJSON().ended).not.toBe('')
  })

  it('that fails says why, and the first reason counts', () => {
    const run = newRun()
    run.fail(new Problem('EMPTY_SOURCE', 'nothing there'))
    run.fail(new Error('something else'))
    expect(run.toJSON()).toMatchObject({ state: 'FAILED', failure: { code: 409, message: 'nothing there' } })
  })

  it('may still fail after its last stage until it is closed: its summary could not be written', () => {
    const run = newRun()
    run.enter('COMPLETED_SUCCESS')
    run.fail(new Problem('STORE_FAILED', 'disk full'))
    expect(run.state).toBe('FAILED')
  })

  it('that is being cancelled enters no other active stage', () => {
    const run = newRun()
    run.cancel()
    run.enter('ACTIVE_PROCESSING_RESULTS')
    expect([run.stage, run.signal.aborted]).toEqual(['ACTIVE_CANCELING', true])
    run.enter('COMPLETED_CANCELED')
    expect(run.state).toBe('CANCELED')
  })
})

describe('durations', () => {
  it('are summed up a metric: count, sum, extremes, mean and standard deviation', () => {
    const durations = new Durations()
    for (const value of [2, 4, 4, 4, 5, 5, 7, 9]) durations.add('sourceQuery', value)
    expect(durations.toJSON()).toEqual({
      sourceQuery: { count: 8, sum: 40, min: 2, max: 9, mean: 5, stdDev: 2 },
    })
  })
})
