import { describe, expect, it } from 'vitest'
import { parsePointer } from '../model/pointer.ts'
import { policiesFor } from './policies.ts'

const policy = (excludeIf: readonly string[], includeIf: readonly string[] = []) => ({
  excludeIf: excludeIf.map(parsePointer),
  includeIf: includeIf.map(parsePointer),
})
const noPolicies = { field: policy([]), value: policy([]) }
const event = {
  http: { request: { headers: { Host: ['h'], 'User-Agent': ['u'] }, path: '/p' } },
  userId: 'me',
}

/** `filterPolicies` (platform §9): pointers that begin with a topic. */
describe('a filter policy', () => {
  it('takes fields out, whatever the case of a header', () => {
    const apply = policiesFor('access', {
      ...noPolicies,
      field: policy(['/access/http/request/headers/host', '/access/userId', '/activity/http']),
    })
    expect(apply?.(event)).toEqual({ http: { request: { headers: { 'User-Agent': ['u'] }, path: '/p' } } })
    expect(event.userId).toBe('me')
  })

  it('takes values out and leaves their names', () => {
    const apply = policiesFor('access', {
      ...noPolicies,
      value: policy(['/access/http/request/headers/host']),
    })
    expect(apply?.(event)).toMatchObject({
      http: { request: { headers: { Host: null, 'User-Agent': ['u'] } } },
    })
  })

  it('keeps what includeIf names below what excludeIf covers, and what it names itself', () => {
    const apply = policiesFor('access', {
      ...noPolicies,
      field: policy(
        ['/access/http/request/headers', '/access/userId'],
        ['/access/http/request/headers/user-agent', '/access/userId'],
      ),
    })
    expect(apply?.(event)).toEqual({
      http: { request: { headers: { 'User-Agent': ['u'] }, path: '/p' } },
      userId: 'me',
    })
  })

  it('costs a topic nothing that it does not name', () => {
    expect(policiesFor('recon', { ...noPolicies, field: policy(['/access/http']) })).toBeUndefined()
  })
})
