import { afterAll, beforeAll, expect, it } from 'vitest'
import { everything } from '../../../model/filter/filter.ts'
import { completeListing, heeding, type Listing } from '../../../model/listing.ts'
import { openSystem } from '../../system/open-system.ts'
import { ldapKind } from '../kind.ts'
import { domain, people, type Samba, startSamba } from '../testing/samba.ts'

let samba: Samba
beforeAll(async () => {
  samba = await startSamba()
  samba.change(`dn: CN=ann,${people}\nchangetype: add\nobjectClass: user\nsAMAccountName: ann\n`)
})
afterAll(() => samba[Symbol.asyncDispose]())

it('a whole domain is listed completely: the partitions that it refers to hold no part of it', async () => {
  await using connector = samba.connect({ baseContexts: [domain], pagingBlockSize: 5 })
  let listing: Listing | undefined
  const pages = connector.search({ objectClass: '__ACCOUNT__', filter: everything })
  const found = await Array.fromAsync(
    heeding(pages, (end) => {
      listing = end
    }),
  )
  expect(listing).toEqual(completeListing)
  expect(found.flat()).toContainEqual(expect.objectContaining({ dn: `CN=ann,${people}` }))
  // It does refer to them.
  expect(samba.find('(objectClass=domainDNS)')).toContain('# refldap')
})

it('a system with a whole domain passes its test', async () => {
  await using system = await openSystem(
    {
      name: 'ad',
      connectorRef: { connectorName: ldapKind.connectorName },
      configurationProperties: {
        ...samba.settings,
        baseContexts: [domain],
        accountObjectClasses: ['user'],
      },
      objectTypes: { account: { nativeType: '__ACCOUNT__', properties: { cn: { type: 'string' } } } },
    },
    { kinds: [ldapKind], projectFolder: samba.folder, decrypt: async (value) => value },
  )
  const { error, steps } = await system.test()
  expect([error, steps.at(-1)?.name]).toEqual([undefined, 'second page'])
})
