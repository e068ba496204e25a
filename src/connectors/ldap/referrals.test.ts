import { describe, expect, it } from 'vitest'
import { profiles } from './profiles.ts'
import { referred } from './referrals.ts'

const root = new Map([
  ['defaultnamingcontext', ['DC=example,DC=test']],
  [
    'namingcontexts',
    ['DC=example,DC=test', 'CN=Configuration,DC=example,DC=test', 'DC=Own,DC=example,DC=test'],
  ],
])

function stateOf(
  reference: string,
  profile: 'activeDirectory' | 'openLdap' = 'activeDirectory',
  handling: 'follow' | 'ignore' = 'follow',
) {
  return referred([reference], { server: 'dc1', root, profile: profiles[profile] }, handling).state
}

describe('a reference to another part of the tree', () => {
  it.each([
    ['the configuration', 'ldap://example.test/CN=Configuration,DC=example,DC=test', 'complete'],
    ['it, in another spelling', 'ldaps://dc2/cn=configuration,%20dc=EXAMPLE,dc=test?cn?sub', 'complete'],
    ['the zones', 'ldap://DomainDnsZones.example.test/DC=DomainDnsZones,DC=example,DC=test', 'complete'],
    ['the zones of the forest', 'ldap://x/DC=ForestDnsZones,DC=example,DC=test', 'complete'],
    ['a partition that the controller has', 'ldap://x/DC=Own,DC=example,DC=test', 'complete'],
    ['a domain below', 'ldap://child.example.test/DC=child,DC=example,DC=test', 'partial'],
    ['the domain itself, at another controller', 'ldap://x/OU=a,DC=example,DC=test', 'partial'],
    ['nothing that can be read', 'ldap://x/%', 'partial'],
    ['nothing at all', 'ldap://x', 'partial'],
  ])('of Active Directory to %s: what is lacking is of the domain or not (%s)', (_, reference, state) => {
    expect(stateOf(reference)).toBe(state)
    expect(stateOf(reference, 'activeDirectory', 'ignore')).toBe('complete')
  })

  it('of another server is always one to a part of the base', () => {
    expect(stateOf('ldap://x/CN=Configuration,DC=example,DC=test', 'openLdap')).toBe('partial')
  })

  it('counts wherever it stands among others', () => {
    const references = [
      'ldap://x/DC=ForestDnsZones,DC=example,DC=test',
      'ldap://x/DC=child,DC=example,DC=test',
    ]
    const facts = { server: 'dc1', root, profile: profiles.activeDirectory }
    expect(referred(references, facts, 'follow')).toMatchObject({
      reason: expect.stringContaining('DC=child'),
    })
    expect(() => referred(references, facts, 'throw')).toThrow('DC=child')
  })
})
