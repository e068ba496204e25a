import { describe, expect, it } from 'vitest'
import { reachesOut } from './reaches-out.ts'

describe('a script that may look at more than its variables', () => {
  it.each([
    "openidm.read('managed/user/a')",
    'var o = openidm; o.read',
    "require('mine').find(object)",
    '// openidm',
    'globalThis.x',
    "eval('1')",
    "new Function('1')",
    "openidm.decrypt(openidm.read('managed/user/a').password)",
    'var decrypt = openidm.decrypt; openidm.decrypt(source)',
    'openidm.decryptAll(source)',
  ])('%s', (source) => {
    expect(reachesOut(source)).toBe(true)
  })

  it.each([
    'object.name = object.name.trim()',
    "var _ = require('lib/lodash'); _.trim(source)",
    "object.authzRoles = [{ _ref: 'repo/internal/role/openidm-authorized' }]",
    "source.createdBy === 'openidm-admin'",
    'openidm.isEncrypted(source) ? openidm.decrypt (source) : source',
    "openidm.matches(source, target.pin) ? null : openidm.hash(source, 'SHA-256')",
  ])('is not %s', (source) => {
    expect(reachesOut(source)).toBe(false)
  })
})
