// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these placeholders are the configuration's
import { describe, expect, it } from 'vitest'
import { durationOf } from '../../model/duration.ts'
import type { JsonObject } from '../../model/json.ts'
import { queryAt, readTaskScan } from './task-scan.ts'
import { atTime } from './time.ts'

const noon = Date.UTC(2026, 0, 1, 12)

describe('a time', () => {
  it.each([
    ['${Time.now}', '2026-01-01T12:00:00.000Z'],
    ['${Time.now + 1d}', '2026-01-02T12:00:00.000Z'],
    ['${Time.now - 90m}', '2026-01-01T10:30:00.000Z'],
    ['${Time.now+1d 12h}', '2026-01-03T00:00:00.000Z'],
    ['(/sunset lt "${Time.now}")', '(/sunset lt "2026-01-01T12:00:00.000Z")'],
    ['${Time.now + soon}', '${Time.now + soon}'],
  ])('%s', (text, expected) => {
    expect(atTime(text, noon)).toBe(expected)
  })
  it.each([
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['250ms', 250],
    ['2 w', 1_209_600_000],
    ['', undefined],
    ['10', undefined],
  ])('as a duration: %s', (text, expected) => {
    expect(durationOf(text)).toBe(expected)
  })
})

const script = { type: 'text/javascript', source: '1' }
const taskState = { started: '/task/started', completed: '/task/completed' }
const scan = { _queryFilter: 'true', object: 'managed/user', taskState }

describe('a task scan', () => {
  it('fills in its query when it is run', () => {
    const filter = '(/sunset lt "${Time.now}") AND !(${taskState.completed} pr)'
    const read = readTaskScan({ scan: { ...scan, _queryFilter: filter }, task: { script } })
    expect(queryAt(read, noon)).toEqual({
      _queryFilter: '(/sunset lt "2026-01-01T12:00:00.000Z") AND !(/task/completed pr)',
    })
  })
  it('knows the query that the samples of OpenIDM name', () => {
    const stock = { _queryId: 'scan-tasks', object: 'managed/user', taskState }
    const due = { property: '/sunset/date', condition: { before: '${Time.now + 1d}' } }
    const read = readTaskScan({ scan: { ...stock, ...due }, task: { script } })
    expect(queryAt(read, noon)).toEqual({ _queryFilter: '/sunset/date pr and !(/task/completed pr)' })
    expect(read.due).toEqual({ property: ['sunset', 'date'], before: '${Time.now + 1d}' })
  })
  it.each<[string, JsonObject, string]>([
    [
      'a date for the query of the samples',
      { scan: { _queryId: 'scan-tasks', object: 'managed/user', taskState }, task: { script } },
      'scan/property',
    ],
    ['a query', { scan: { object: 'managed/user', taskState }, task: { script } }, 'scan'],
    ['a query that is not null', { scan: { ...scan, _queryFilter: null }, task: { script } }, 'scan'],
    [
      'a query that is spelt right',
      { scan: { _queryfilter: 'true', object: 'managed/user', taskState }, task: { script } },
      'scan/_queryfilter',
    ],
    [
      'a condition that is spelt right',
      { scan: { ...scan, property: 'a', conditon: { before: '${Time.now}' } }, task: { script } },
      'scan/conditon',
    ],
    [
      'a condition for its property',
      { scan: { ...scan, property: 'a' }, task: { script } },
      'scan/condition/before',
    ],
    [
      'a time for its property',
      { scan: { ...scan, property: 'a', condition: { befor: '${Time.now}' } }, task: { script } },
      'scan/condition/before',
    ],
    [
      'a property for its condition',
      { scan: { ...scan, condition: { before: '${Time.now}' } }, task: { script } },
      'scan/property',
    ],
    ['an object set', { scan: { _queryFilter: 'true', taskState }, task: { script } }, 'scan/object'],
    ['a script', { scan, task: {} }, 'task/script'],
    [
      'its state',
      { scan: { ...scan, taskState: { started: '/a' } }, task: { script } },
      'scan/taskState/completed',
    ],
    [
      'a filter that can be read',
      { scan: { ...scan, _queryFilter: 'a b' }, task: { script } },
      'scan/_queryFilter',
    ],
    [
      'a duration',
      { scan: { ...scan, recovery: { timeout: 'soon' } }, task: { script } },
      'scan/recovery/timeout',
    ],
    [
      'a time',
      { scan: { ...scan, property: 'a', condition: { before: 'soon' } }, task: { script } },
      'scan/condition/before',
    ],
    ['threads', { scan, task: { script }, numberOfThreads: 0 }, 'numberOfThreads'],
  ])('needs %s', (_what, context, place) => {
    expect(() => readTaskScan(context)).toThrow(
      expect.objectContaining({ finding: expect.objectContaining({ place: place.split('/') }) }),
    )
  })
})
