import { describe, expect, it } from 'vitest'
import type { Json } from '../../../model/json.ts'
import { failureHandler, nextStep } from './failure-handler.ts'

/** engine §9: how often a failing change is tried again, and what follows. */
describe('a change that fails for the nth time', () => {
  it.each<[string, Json | undefined, string[]]>([
    ['without a handler', undefined, ['retry', 'retry', 'retry', 'retry']],
    ['with a handler that names no limit', {}, ['retry', 'retry', 'retry', 'retry']],
    ['with a negative limit', { maxRetries: -1 }, ['retry', 'retry', 'retry', 'retry']],
    ['with the limit 0', { maxRetries: 0 }, ['give up', 'give up', 'give up', 'give up']],
    ['with the limit 2', { maxRetries: 2 }, ['retry', 'retry', 'give up', 'give up']],
  ])('%s', (_what, configured, steps) => {
    const handler = failureHandler(configured)
    expect([1, 2, 3, 4].map((failures) => nextStep(handler, failures))).toEqual(steps)
  })
})

describe('what follows the last retry', () => {
  it.each<[Json, string]>([
    ['logged-ignore', 'logged-ignore'],
    ['dead-letter-queue', 'dead-letter-queue'],
    [{ script: { type: 'text/javascript', source: '1' } }, 'script'],
    ['anything else', 'ignore'],
    [null, 'ignore'],
  ])('is, with %j, %s', (postRetryAction, kind) => {
    expect(failureHandler({ maxRetries: 0, postRetryAction }).after.kind).toBe(kind)
  })
})
