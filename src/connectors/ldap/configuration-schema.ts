/** The JSON Schema of `configurationProperties` of a directory: every name and default of platform §5.2, and a few of our own. */

const text = (description: string, value?: string) => ({
  type: 'string',
  description,
  ...(value !== undefined && { default: value }),
})

const yesNo = (description: string, value = false) => ({ type: 'boolean', description, default: value })

const number = (description: string, value?: number) => ({
  type: 'integer',
  description,
  ...(value !== undefined && { default: value }),
})

const texts = (description: string, value: readonly string[] = []) => ({
  type: 'array',
  items: { type: 'string' },
  description,
  default: value,
})

/** Accepted, so that existing configurations stay as they are. */
const without = <T extends { readonly description: string }>(property: T, noEffect: string) => ({
  ...property,
  description: `No effect: ${noEffect}. ${property.description}`.trim(),
  'x-noEffect': noEffect,
})

const legacy = 'passwords are not read from change logs'

export const configurationSchema = {
  type: 'object',
  required: ['host', 'baseContexts'],
  properties: {
    host: text('The server; `ldapi://%2Fpath` is a socket of this machine.'),
    port: number('Default: 389, with `ssl` 636.'),
    ssl: yesNo('TLS from the first byte (`ldaps`).'),
    startTLS: yesNo('TLS on the plain port, before anything else is said.'),
    connectionSecurity: text('`none`, `ssl` or `starttls`: another name of `ssl` and `startTLS`.'),
    trustedCertificates: text(
      'A PEM file with the certificate authorities to trust, instead of those of the system. A relative path starts at the project folder.',
    ),
    failover: texts('Further servers as `ldap://host:port` or `ldaps://host:port`, tried in this order.'),
    connectTimeout: number('Milliseconds to wait for a connection.', 10_000),
    readTimeout: number('Milliseconds to wait for an answer.', 60_000),
    principal: text('The name (DN) of the account that reads and writes. Empty: anonymous.'),
    credentials: { ...text('The password of `principal`.'), writeOnly: true },
    authType: text(
      '`simple`, or `EXTERNAL`: the server knows Syncline by its certificate, or by its process on a socket of the same machine.',
      'simple',
    ),
    clientCertificate: text(
      'A PEM file with the certificate of Syncline, and those between it and its authority.',
    ),
    clientKey: text('A PEM file with the private key of `clientCertificate`.'),
    clientKeyPassword: { ...text('The password of `clientKey`.'), writeOnly: true },
    baseContexts: texts('The names (DN) below which entries are searched. They must exist.'),
    referralsHandling: text(
      'What a referral to another server means. It is never followed. `follow`: the listing is partial; `ignore`: what is there does not belong to this system; `throw`: an error.',
      'follow',
    ),
    uidAttribute: text(
      "The attribute that is the id. Default: that of the server's kind, mostly `entryUUID`.",
    ),
    accountObjectClasses: texts('Object classes of accounts.', [
      'top',
      'person',
      'organizationalPerson',
      'inetOrgPerson',
    ]),
    accountUserNameAttributes: texts('Attributes that hold the login name.', ['uid', 'cn']),
    accountSearchFilter: text('An LDAP filter that replaces the one by `accountObjectClasses`.'),
    groupObjectClasses: texts('Object classes of groups.', ['top', 'groupOfUniqueNames']),
    groupSearchFilter: text('An LDAP filter that replaces the one by `groupObjectClasses`.'),
    groupMemberAttribute: text(
      'The attribute of groups that holds the names of their members.',
      'uniqueMember',
    ),
    getGroupMemberId: yesNo('Groups have `_memberId`, the ids of their members, to be read.'),
    maintainLdapGroupMembership: yesNo('Groups follow the renames and deletes of their members.'),
    maintainPosixGroupMembership: yesNo(
      'Groups of POSIX (`posixGroup`, `memberUid`) follow the changes of `uid` and the deletes of their members.',
    ),
    placeholderMember: text(
      'The name (DN) that stands in groups without members where they must not be empty. It is never read.',
    ),
    passwordAttribute: text('The attribute that holds the password.', 'userPassword'),
    passwordHashAlgorithm: text(
      'SSHA, SHA, SMD5 or MD5; WIN-AD for Active Directory. Empty: the server hashes, if it does.',
    ),
    showDeleted: yesNo(
      'Active Directory: searches give deleted entries, too, as far as the server keeps them; `isDeleted` tells them apart. For systems that are only read.',
    ),
    forcePasswordChangeAtNextLogon: yesNo(
      'Active Directory: whoever gets a password from Syncline must replace it at the next login.',
    ),
    respectResourcePasswordPolicyChangeAfterReset: yesNo(
      'Nobody logs in with a password that was reset and must be changed first (password policy control).',
    ),
    blockSize: number('Entries in one page of a search.', 500),
    pagingBlockSize: number('Another name of `blockSize`.'),
    userSearchScope: text('Where accounts are searched: `subtree`, `onelevel` or `object`.', 'subtree'),
    groupSearchScope: text('Where groups are searched: `subtree`, `onelevel` or `object`.', 'subtree'),
    additionalSearchFilter: text('An LDAP filter that all entries must match besides.'),
    retrievePasswordsWithSearch: without(yesNo(''), 'passwords are never read'),
    usePermissiveModify: without(text('', 'auto'), 'it is used where the server offers it'),
    lockoutStrategy: without(text('', 'none'), '`__LOCK_OUT__` is there where the server has locks'),
    rawUserAccountControlAttribute: without(
      yesNo(''),
      '`userAccountControl` is always there beside its flags',
    ),
    tweakSchema: without(yesNo('', true), 'what Active Directory does not say of its schema is known'),
    globalCatalogStrategy: text('Only `none`: a system reads and writes at one server.', 'none'),
    allowFSPProcessing: yesNo('Refused if set.'),
    pwdUpdateOnly: yesNo('Refused if set.'),
    useBlocks: without(yesNo(''), 'searches are always paged'),
    usePagedResultControl: without(yesNo(''), 'searches are always paged where the server can'),
    usePagedResultsControl: without(yesNo(''), 'searches are always paged where the server can'),
    vlvSortAttribute: without(text('', 'uid'), 'virtual list views are not used'),
    readSchema: without(yesNo('', true), 'the schema is always read from the server'),
    useDNSSRVRecord: yesNo(
      '`host` is a domain, and its DNS names the servers: `_ldap._tcp.host`, with `ssl` `_ldaps._tcp.host`.',
    ),
    syncStrategy: text(
      'How liveSync finds what has changed: `accessLog`, `changeLog`, `dirSync`, `usn`, `syncrepl`, `timestamps`, `none`; `auto`: the best that the server offers.',
    ),
    synchronizationStrategy: text('Another name of `syncStrategy`.'),
    baseContextsToSynchronize: texts(
      'The names (DN) below which liveSync looks. Default: `baseContexts`. They must lie within those.',
    ),
    objectClassesToSynchronize: texts(
      'liveSync looks at accounts that have one of these object classes. Default: at all accounts.',
    ),
    attributesToSynchronize: texts(
      'Attributes whose changes count, where the server tells what has changed. Default: all.',
    ),
    modifiersNamesToFilterOut: texts(
      'Names (DN) of accounts whose writes liveSync leaves out, such as that of Syncline itself.',
    ),
    accountSynchronizationFilter: text('An LDAP filter: liveSync looks at accounts that it finds.'),
    groupSynchronizationFilter: text('An LDAP filter: liveSync looks at groups that it finds.'),
    changeLogBlockSize: number('Entries of a change log that are asked for at once.', 100),
    changeNumberAttribute: text('The attribute that numbers the entries of a change log.', 'changeNumber'),
    useTimestampsForSync: yesNo('liveSync by times, the same as `syncStrategy: timestamps`.'),
    filterWithOrInsteadOfAnd: yesNo(
      'Asks for the entries of a change log by each number instead of the first and the last.',
    ),
    removeLogEntryObjectClassFromFilter: yesNo(
      'False: asks for the entries of a change log by their object class, too.',
      true,
    ),
    resetSyncToken: text(
      'What a token beyond the end of the change log means. `never`: everything is compared; `first`, `last`: changes are read from that end of the log.',
      'never',
    ),
    synchronizePasswords: without(yesNo(''), legacy),
    passwordAttributeToSynchronize: without(text(''), legacy),
    passwordDecryptionKey: without({ ...text(''), writeOnly: true }, legacy),
    passwordDecryptionInitializationVector: without({ ...text(''), writeOnly: true }, legacy),
  },
} as const

export const settingGroups = [
  {
    title: 'Server',
    settings: [
      'host',
      'port',
      'ssl',
      'startTLS',
      'trustedCertificates',
      'failover',
      'connectTimeout',
      'readTimeout',
    ],
  },
  {
    title: 'Account',
    settings: ['principal', 'credentials', 'authType', 'clientCertificate', 'clientKey', 'clientKeyPassword'],
  },
  {
    title: 'Entries',
    settings: [
      'baseContexts',
      'uidAttribute',
      'accountObjectClasses',
      'accountUserNameAttributes',
      'accountSearchFilter',
      'referralsHandling',
      'blockSize',
    ],
  },
  { title: 'Passwords', settings: ['passwordAttribute', 'passwordHashAlgorithm'] },
  {
    title: 'Groups',
    settings: [
      'groupObjectClasses',
      'groupSearchFilter',
      'groupMemberAttribute',
      'maintainLdapGroupMembership',
    ],
  },
] satisfies readonly { readonly title: string; readonly settings: readonly SettingName[] }[]

export type SettingName = keyof typeof configurationSchema.properties
