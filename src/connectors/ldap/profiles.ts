/** What is known of kinds of servers; which one it is, its root DSE says. */
export interface Profile {
  readonly name: string
  /** The attribute that is the id, unless the configuration names another. */
  readonly uidAttribute: string
  /** The operational attribute that holds the name of an entry, for filters. Absent: names cannot be searched. */
  readonly nameAttribute: string | undefined
  /** True: a page without entries is the last one. Others may send more pages after it. */
  readonly emptyPageIsLast: boolean
  /** False: a password is written in a way that is not there yet. */
  readonly takesPasswords: boolean
}

export const profiles = {
  activeDirectory: {
    name: 'Active Directory',
    uidAttribute: 'objectGUID',
    nameAttribute: 'distinguishedName',
    emptyPageIsLast: false,
    takesPasswords: false,
  },
  samba: {
    name: 'Samba',
    uidAttribute: 'objectGUID',
    nameAttribute: 'distinguishedName',
    emptyPageIsLast: false,
    takesPasswords: false,
  },
  openLdap: {
    name: 'OpenLDAP',
    uidAttribute: 'entryUUID',
    nameAttribute: 'entryDN',
    emptyPageIsLast: true,
    takesPasswords: true,
  },
  openDj: {
    name: 'OpenDJ',
    uidAttribute: 'entryUUID',
    nameAttribute: 'entryDN',
    emptyPageIsLast: false,
    takesPasswords: true,
  },
  directoryServer389: {
    name: '389 Directory Server',
    uidAttribute: 'nsUniqueId',
    nameAttribute: undefined,
    emptyPageIsLast: false,
    takesPasswords: true,
  },
  generic: {
    name: 'a directory of an unknown kind',
    uidAttribute: 'entryUUID',
    nameAttribute: undefined,
    emptyPageIsLast: false,
    takesPasswords: true,
  },
} as const satisfies Record<string, Profile>

/** What the root DSE says, by attribute in lower case. */
export type RootDse = ReadonlyMap<string, readonly string[]>

export function profileOf(root: RootDse): Profile {
  const text = (name: string) => (root.get(name.toLowerCase()) ?? []).join(' ')
  const vendor = `${text('vendorName')} ${text('vendorVersion')}`
  if (/samba/i.test(vendor)) return profiles.samba
  if (root.has('rootdomainnamingcontext') || root.has('domaincontrollerfunctionality'))
    return profiles.activeDirectory
  if (/OpenLDAProotDSE/i.test(text('objectClass')) || /openldap/i.test(vendor)) return profiles.openLdap
  if (/389 project|fedora|red hat/i.test(vendor)) return profiles.directoryServer389
  if (/opendj|forgerock|ping ?ds|open identity platform|wren/i.test(vendor)) return profiles.openDj
  return profiles.generic
}
