import { describe, expect, it } from 'vitest'
import { accessRules } from './access-rules.ts'
import type { Verb } from './filter.ts'

function granted(excludePatterns: string, verb: Verb, path: string, id?: string): boolean | undefined {
  return accessRules({ configs: [{ pattern: '*', excludePatterns }] })[0]?.grantsPath({ verb, path, id })
}

describe('what an entry excludes', () => {
  it.each<[string, Verb, string, string?]>([
    ['managed/user/ann', 'read', 'managed/user/ann'],
    ['managed/user/ann', 'query', 'managed/user'],
    ['managed/user/ann', 'query', 'managed'],
    ['managed/user/*', 'query', 'managed/user'],
    ['managed/*', 'query', 'managed/user'],
    ['managed/user/ann/roles', 'query', 'managed/user/ann/roles'],
    ['managed/user/a b', 'query', 'managed/user'],
    ['config/sync', 'query', 'config'],
    ['managed/user/*', 'create', 'managed/user'],
    ['managed/user/ann', 'create', 'managed/user', 'ann'],
    ['managed/user/a b', 'create', 'managed/user', 'a b'],
    ['managed/user', 'create', 'managed/user'],
    ['managed/user/*', 'delete', 'managed/user/ann'],
    ['managed/user/*', 'action', 'managed/user/ann'],
  ])('%s is not granted by %s of %s %s', (excluded, verb, path, id) => {
    expect(granted(excluded, verb, path, id)).toBe(false)
  })

  it.each<[string, Verb, string, string?]>([
    ['managed/user/ann', 'read', 'managed/user/ben'],
    ['managed/user/ann', 'read', 'managed/user/ann/roles'],
    ['managed/user/ann', 'create', 'managed/user'],
    ['managed/user/ann', 'create', 'managed/user', 'ben'],
    ['managed/user/ann', 'action', 'managed/user'],
    ['managed/user/*', 'query', 'managed/role'],
    ['managed/users/*', 'query', 'managed/user'],
    ['managed/userx', 'query', 'managed/user'],
    ['repo,repo/*', 'query', 'managed/user'],
  ])('%s does not touch %s of %s %s', (excluded, verb, path, id) => {
    expect(granted(excluded, verb, path, id)).toBe(true)
  })
})
