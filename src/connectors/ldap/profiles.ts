import { accountStates } from './account-states.ts'
import { accountAttributes } from './active-directory/account-control.ts'
import { dateAttributes } from './active-directory/dates.ts'
import { groupAttributes } from './active-directory/group-type.ts'
import { activeDirectorySchema, computersAmong } from './active-directory/schema.ts'
import { passwordCannotChange } from './active-directory/security-descriptor.ts'
import { activeDirectoryRules } from './active-directory/write-rules.ts'
import type { Subschema } from './subschema.ts'
import type { VirtualAttribute } from './virtual.ts'
import { plainRules, type WriteRules } from './write-rules.ts'

/** What is known of kinds of servers; which one it is, its root DSE says. */
export interface Profile {
  readonly name: string
  /** The attribute that is the id, unless the configuration names another. */
  readonly uidAttribute: string
  /** The operational attribute that holds the name of an entry, for filters. Absent: names cannot be searched. */
  readonly nameAttribute: string | undefined
  /** Attributes that the connector makes of others. */
  readonly virtual: readonly VirtualAttribute[]
  readonly writeRules: WriteRules
  /** The schema with what the server does not say of it. */
  completed(schema: Subschema): Subschema
  /** Classes that extend one of these and are meant by none of them. */
  leftOut(objectClasses: readonly string[]): readonly string[]
  /** True: the server finds texts that differ in more than case, "José" for "jose"; what it finds is looked at again. */
  readonly findsMore: boolean
  /** The server refers to other partitions that it has itself, as if they were parts of what was searched. */
  readonly refersToOwnPartitions: boolean
  /** Settings that suit such a server better than the defaults, for new configurations. */
  readonly settings: { readonly passwordAttribute?: string } & Readonly<Record<string, string | string[]>>
  /** The attributes that hold when an entry was written. */
  readonly times: { readonly modified: string; readonly created: string }
}

const plain = {
  virtual: [],
  writeRules: plainRules,
  completed: (schema: Subschema) => schema,
  leftOut: () => [],
  findsMore: false,
  refersToOwnPartitions: false,
  settings: {},
  times: { modified: 'modifyTimestamp', created: 'createTimestamp' },
}

const activeDirectory = {
  ...plain,
  uidAttribute: 'objectGUID',
  nameAttribute: 'distinguishedName',
  virtual: [...accountAttributes, passwordCannotChange, ...dateAttributes, ...groupAttributes],
  writeRules: activeDirectoryRules,
  completed: activeDirectorySchema,
  leftOut: computersAmong,
  findsMore: true,
  refersToOwnPartitions: true,
  settings: {
    accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
    accountUserNameAttributes: ['sAMAccountName', 'userPrincipalName'],
    groupObjectClasses: ['top', 'group'],
    groupMemberAttribute: 'member',
    passwordAttribute: 'unicodePwd',
  },
  // Those of the names above are computed there, and cannot be searched.
  times: { modified: 'whenChanged', created: 'whenCreated' },
}

export const profiles = {
  activeDirectory: { ...activeDirectory, name: 'Active Directory' },
  samba: { ...activeDirectory, name: 'Samba' },
  openLdap: {
    ...plain,
    name: 'OpenLDAP',
    uidAttribute: 'entryUUID',
    nameAttribute: 'entryDN',
    virtual: accountStates.openLdap,
  },
  openDj: {
    ...plain,
    name: 'OpenDJ',
    uidAttribute: 'entryUUID',
    nameAttribute: 'entryDN',
    virtual: accountStates.openDj,
  },
  directoryServer389: {
    ...plain,
    name: '389 Directory Server',
    uidAttribute: 'nsUniqueId',
    nameAttribute: undefined,
    virtual: accountStates.directoryServer389,
  },
  generic: {
    ...plain,
    name: 'a directory of an unknown kind',
    uidAttribute: 'entryUUID',
    nameAttribute: undefined,
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
