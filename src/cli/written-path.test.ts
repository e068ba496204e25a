import { describe, expect, it } from 'vitest'
import { withSlashesInId, writtenPath } from './written-path.ts'

describe('a path written in a command', () => {
  it.each([
    ['managed/user/42', 'managed/user/42'],
    ['managed/user/José', 'managed/user/Jos%C3%A9'],
    ['managed/user/100%', 'managed/user/100%25'],
    ['managed/user/a%2Fb', 'managed/user/a%2Fb'],
    ['/managed/user/a b/', 'managed/user/a%20b'],
    ['', ''],
  ])('%j is %j', (text, path) => {
    expect(writtenPath(text)).toBe(path)
  })
  it.each([
    ['managed/user/a/b', 'managed/user/a%2Fb'],
    ['managed/user/a%2Fb/c', 'managed/user/a%2Fb%2Fc'],
    ['system/dir/account/a/b', 'system/dir/account/a%2Fb'],
    ['managed/user/a', undefined],
    ['system/dir/account/a', undefined],
    ['config', undefined],
  ])('%j may be the object %j', (path, object) => {
    expect(withSlashesInId(path)).toBe(object)
  })
})
