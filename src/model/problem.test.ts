import { describe, expect, it } from 'vitest'
import { asProblem, deepestCause, Problem, problems } from './problem.ts'

describe.each(Object.entries(problems))('the problem %s', (_, { status, hint }) => {
  it('has an HTTP error status and a hint that is a sentence', () => {
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect(hint).toMatch(/^[A-Z].*\.$/)
  })
})

describe('a problem', () => {
  it('has its code’s status unless a script or connector chose another', () => {
    expect(new Problem('SCRIPT_FAILED', 'x').status).toBe(500)
    expect(new Problem('SCRIPT_FAILED', 'x', { status: 418 }).status).toBe(418)
  })

  it('is made of whatever was thrown, which stays its cause', () => {
    const thrown = new TypeError('boom')
    expect(asProblem(thrown)).toMatchObject({ code: 'INTERNAL', message: 'boom', cause: thrown })
    expect(asProblem('text').message).toBe('text')
    const problem = new Problem('NOT_FOUND', 'x')
    expect(asProblem(problem)).toBe(problem)
  })

  it('leads to the error that started it all', () => {
    const first = new Error('first')
    const last = new Problem('SYNC_FAILED', 'last', { cause: new Error('middle', { cause: first }) })
    expect(deepestCause(last)).toBe(first)
  })
})
