import { describe, expect, it } from 'vitest'
import { mayConcern } from './concerned.ts'

describe('an expression', () => {
  it.each([
    [undefined, true],
    ['user', true],
    ['^managed', true],
    ['^managed/user$', true],
    ['^managed/user/adm.*', true],
    ['^(managed|system)($|(/.+))', true],
    ['^managed/users', false],
    ['^managed/role', false],
    ['^system/hr', false],
    ['^managed/roles?|.*', true],
    ['^managed/userx?', true],
    ['^managed/role|^managed/user', true],
  ])('%s may concern managed/user: %s', (pattern, expected) => {
    expect(mayConcern(pattern, 'managed/user')).toBe(expected)
  })
})
