import type { Filter } from 'ldapts'
import type { Log } from '../../kit/log.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { unicodePassword } from './active-directory/passwords.ts'
import { type Base, basesIn, outermost } from './bases.ts'
import { type ChangeSettings, changeSettings } from './changes/settings.ts'
import { configurationSchema, type SettingName } from './configuration-schema.ts'
import { parseDn } from './dn.ts'
import { Given, invalid } from './given.ts'
import { type HashAlgorithm, hashAlgorithms, windowsPassword } from './passwords.ts'
import { type Securing, securingOf } from './securing.ts'
import { type Server, serverOf } from './servers.ts'

/** The configuration of a directory (platform §5.2) as the connector works with it. */
export interface LdapSettings {
  /** In the order in which they are tried. */
  readonly servers: readonly Server[]
  /** A domain whose DNS names the servers, in the place of the first one. */
  readonly domain: string | undefined
  readonly securing: Securing
  readonly connectTimeout: number
  readonly readTimeout: number
  /** None lies below another. */
  readonly bases: readonly Base[]
  readonly givenBases: readonly Base[]
  readonly referrals: 'follow' | 'ignore' | 'throw'
  /** Absent: that of the server's profile. */
  readonly uidAttribute: string | undefined
  readonly accounts: ClassSettings
  readonly groups: ClassSettings
  /** What all entries of the system match besides. */
  readonly restriction: Filter | undefined
  readonly userNames: readonly string[]
  /** Nobody logs in with a password that was reset and must be changed first. */
  readonly mustChangeCounts: boolean
  readonly memberAttribute: string
  /** Groups have the ids of their members, too. */
  readonly memberIds: boolean
  readonly maintainMembership: boolean
  readonly maintainPosixMembership: boolean
  /** A name of groups that have no other member. */
  readonly placeholderMember: string | undefined
  readonly passwordAttribute: string
  readonly passwordHash: HashAlgorithm | typeof windowsPassword | undefined
  /** Searches give the deleted entries of Active Directory, too. */
  readonly showDeleted: boolean
  /** Who gets a new password must replace it at the next login. */
  readonly forcePasswordChange: boolean
  readonly pageSize: number
  readonly changes: ChangeSettings
}

export interface ClassSettings {
  readonly objectClasses: readonly string[]
  /** Replaces the filter by object classes. */
  readonly filter: Filter | undefined
  readonly scope: Scope
}

/** The base itself, what is directly below it, or the base and everything below. */
export type Scope = 'base' | 'one' | 'sub'

const scopes = { object: 'base', onelevel: 'one', subtree: 'sub' } as const
const scopeNames = ['object', 'onelevel', 'subtree'] as const

export function ldapSettings(configuration: JsonObject, projectFolder: string, log: Log): LdapSettings {
  const given = new Given(configuration)
  refuse(configuration)
  warn(configuration, log)
  const host = given.text('host')
  const securing = securingOf(given, projectFolder, host.startsWith('ldapi:'))
  const { secure, startTls } = securing
  const first = host.startsWith('ldapi:')
    ? serverOf(host)
    : { host, port: given.number('port', secure ? 636 : 389), secure }
  const servers = [first, ...given.texts('failover').map(serverOf)]
  if (!startTls) requireSecurePasswords(given.text('passwordAttribute'), servers)
  const givenBases = basesIn(given, 'baseContexts')
  if (givenBases.length === 0) throw invalid('baseContexts', 'is empty; it names where entries are searched')
  return {
    servers,
    domain: given.boolean('useDNSSRVRecord') ? host : undefined,
    securing,
    connectTimeout: given.number('connectTimeout', 10_000),
    readTimeout: given.number('readTimeout', 60_000),
    bases: outermost(givenBases),
    givenBases,
    referrals: given.choice('referralsHandling', ['follow', 'ignore', 'throw']),
    uidAttribute: given.optional('uidAttribute'),
    accounts: {
      objectClasses: given.texts('accountObjectClasses'),
      filter: given.filter('accountSearchFilter'),
      scope: scopes[given.choice('userSearchScope', scopeNames)],
    },
    groups: {
      objectClasses: given.texts('groupObjectClasses'),
      filter: given.filter('groupSearchFilter'),
      scope: scopes[given.choice('groupSearchScope', scopeNames)],
    },
    restriction: given.filter('additionalSearchFilter'),
    userNames: given.texts('accountUserNameAttributes'),
    mustChangeCounts: given.boolean('respectResourcePasswordPolicyChangeAfterReset'),
    memberAttribute: given.text('groupMemberAttribute'),
    memberIds: given.boolean('getGroupMemberId'),
    maintainMembership: given.boolean('maintainLdapGroupMembership'),
    maintainPosixMembership: given.boolean('maintainPosixGroupMembership'),
    placeholderMember: nameOfEntry(given, 'placeholderMember'),
    passwordAttribute: given.text('passwordAttribute'),
    passwordHash: hashAlgorithm(given.optional('passwordHashAlgorithm')),
    showDeleted: given.boolean('showDeleted'),
    forcePasswordChange: given.boolean('forcePasswordChangeAtNextLogon'),
    pageSize: given.number(
      given.value('pagingBlockSize') === undefined ? 'blockSize' : 'pagingBlockSize',
      500,
    ),
    changes: changeSettings(given),
  }
}

/** Without TLS, Active Directory refuses every write of a password. */
function requireSecurePasswords(attribute: string, servers: readonly Server[]): void {
  const plain = servers.find(({ secure }) => !secure)
  if (attribute.toLowerCase() !== unicodePassword.toLowerCase() || !plain) return
  throw invalid(
    'passwordAttribute',
    `is ${attribute}, which Active Directory takes over TLS only, and ${plain.host}:${plain.port} is reached without; set ssl or startTLS`,
  )
}

function nameOfEntry(given: Given, name: SettingName): string | undefined {
  const text = given.optional(name)
  if (text === undefined || (parseDn(text) ?? []).length > 0) return text
  throw invalid(name, `is ${JSON.stringify(text)}, no name of an entry`)
}

function hashAlgorithm(name: string | undefined): LdapSettings['passwordHash'] {
  if (name === undefined) return undefined
  const known = [...hashAlgorithms, windowsPassword] as const
  const algorithm = known.find((one) => one === name.toUpperCase())
  if (algorithm !== undefined) return algorithm
  throw invalid('passwordHashAlgorithm', `is ${JSON.stringify(name)}; there are ${known.join(', ')}`)
}

/** What would do less than its author asked for. */
const refused: readonly (readonly [SettingName, (value: Json) => boolean, string])[] = [
  [
    'globalCatalogStrategy',
    (value) => value !== 'none',
    'make one system of the global catalog, to be read, and one of the domain',
  ],
  ['allowFSPProcessing', isOn, 'members of other forests are named as the server names them'],
  ['pwdUpdateOnly', isOn, 'leave the other properties out of the object type'],
]

function refuse(configuration: JsonObject): void {
  for (const [name, isAsked, fact] of refused) {
    const value = configuration[name] ?? undefined
    if (value !== undefined && value !== '' && isAsked(value))
      throw invalid(name, `is ${JSON.stringify(value)}, which is not there yet: ${fact}`)
  }
}

function isOn(value: Json): boolean {
  return value === true || value === 'true'
}

function warn(configuration: JsonObject, log: Log): void {
  for (const [name, property] of Object.entries(configurationSchema.properties)) {
    const value = configuration[name] ?? undefined
    if (value === undefined || value === '' || !('x-noEffect' in property)) continue
    const usual = 'default' in property ? property.default : []
    if (JSON.stringify(value) !== JSON.stringify(usual))
      log('warn', `${name} has no effect: ${property['x-noEffect']}`)
  }
}
