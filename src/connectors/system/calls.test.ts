import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import { Calls } from './calls.ts'

const calls = new Calls()

const operation = {
  system: 'hr',
  name: 'UPDATE',
  objectType: 'account',
  uid: '7',
  timeout: undefined,
} as const

describe('a call of a connector', () => {
  it.each<[what: string, thrown: unknown, expected: object]>([
    [
      'a Problem keeps code and message',
      new Problem('NOT_FOUND', 'gone'),
      { code: 'NOT_FOUND', message: 'gone', detail: { retryable: false } },
    ],
    [
      'a lost connection is 503',
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      { status: 503, message: 'refused', detail: { retryable: true } },
    ],
    [
      'anything else is 500 in its own words',
      new Error('ORA-00942'),
      { code: 'CONNECTOR_FAILED', message: 'ORA-00942' },
    ],
    [
      'facts of the connector stay',
      new Problem('CONNECTOR_FAILED', 'x', { detail: { line: 3 } }),
      { detail: { line: 3, uid: '7' } },
    ],
  ])('that fails: %s', async (_, thrown, expected) => {
    const failing = calls.call(operation, undefined, () => Promise.reject(thrown))
    await expect(failing).rejects.toMatchObject(expected)
    await expect(failing).rejects.toMatchObject({
      detail: { system: 'hr', objectType: 'account', operation: 'UPDATE' },
      cause: expect.anything(),
    })
  })

  it('that takes too long is given up and told to stop', async () => {
    let stopped = false
    const hanging = calls.call({ ...operation, timeout: 5 }, undefined, (signal) => {
      signal?.addEventListener('abort', () => {
        stopped = true
      })
      return new Promise(() => undefined)
    })
    await expect(hanging).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('operationTimeout of UPDATE'),
    })
    expect(stopped).toBe(true)
  })

  it('that its caller aborts fails with the caller’s reason', async () => {
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(calls.call(operation, aborted, (signal) => Promise.reject(signal?.reason))).rejects.toThrow(
      'enough',
    )
  })
})

describe('a stream of pages', () => {
  it('is not timed out by a slow reader', async () => {
    const pages = calls.stream({ ...operation, timeout: 40 }, undefined, async function* () {
      yield* [1, 2, 3]
    })
    const seen: number[] = []
    for await (const page of pages) {
      seen.push(page)
      await sleep(30)
    }
    expect(seen).toEqual([1, 2, 3])
  })

  it('is timed out by a connector that hangs, and does not wait for it', async () => {
    const pages = calls.stream({ ...operation, timeout: 5 }, undefined, async function* () {
      yield 1
      await new Promise(() => undefined)
    })
    await expect(Array.fromAsync(pages)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
