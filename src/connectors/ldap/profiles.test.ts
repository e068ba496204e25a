import { expect, it } from 'vitest'
import { profileOf } from './profiles.ts'

it.each([
  ['OpenLDAP', { objectclass: ['top', 'OpenLDAProotDSE'] }, 'entryUUID'],
  ['Active Directory', { domaincontrollerfunctionality: ['7'] }, 'objectGUID'],
  [
    'Samba',
    { vendorname: ['Samba Team (https://samba.org)'], domaincontrollerfunctionality: ['4'] },
    'objectGUID',
  ],
  ['389 Directory Server', { vendorname: ['389 Project'] }, 'nsUniqueId'],
  ['OpenDJ', { vendorname: ['ForgeRock AS.'], vendorversion: ['OpenDJ 4.9'] }, 'entryUUID'],
  ['a directory of an unknown kind', {}, 'entryUUID'],
])('takes %s for what its root DSE says', (name, root, uidAttribute) => {
  const profile = profileOf(new Map(Object.entries(root)))
  expect(profile).toMatchObject({ name, uidAttribute })
})
