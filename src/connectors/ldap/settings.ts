import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { type Filter, FilterParser } from 'ldapts'
import type { Log } from '../../kit/log.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { misconfigured } from '../kit/errors.ts'
import { Secret } from '../kit/values.ts'
import { unicodePassword } from './active-directory/passwords.ts'
import { configurationSchema, type SettingName } from './configuration-schema.ts'
import { contains, type Dn, parseDn } from './dn.ts'
import { type HashAlgorithm, hashAlgorithms, windowsPassword } from './passwords.ts'

/** The configuration of a directory (platform §5.2) as the connector works with it. */
export interface LdapSettings {
  /** In the order in which they are tried. */
  readonly servers: readonly Server[]
  readonly startTls: boolean
  /** Certificates, PEM, of the authorities to trust instead of the system's. */
  readonly authorities: string | undefined
  readonly connectTimeout: number
  readonly readTimeout: number
  /** Absent: anonymous. */
  readonly account: { readonly dn: string; readonly password: Secret } | undefined
  /** None lies below another. */
  readonly bases: readonly Base[]
  readonly referrals: 'follow' | 'ignore' | 'throw'
  /** Absent: that of the server's profile. */
  readonly uidAttribute: string | undefined
  readonly accounts: ClassSettings
  readonly groups: ClassSettings
  readonly userNames: readonly string[]
  readonly memberAttribute: string
  readonly maintainMembership: boolean
  readonly passwordAttribute: string
  readonly passwordHash: HashAlgorithm | typeof windowsPassword | undefined
  /** Who gets a new password must replace it at the next login. */
  readonly forcePasswordChange: boolean
  readonly pageSize: number
  /** Names of accounts whose writes liveSync does not report. */
  readonly ignoredAuthors: readonly string[]
}

export interface Server {
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

export interface Base {
  readonly text: string
  readonly dn: Dn
}

export interface ClassSettings {
  readonly objectClasses: readonly string[]
  /** Replaces the filter by object classes. */
  readonly filter: Filter | undefined
}

export function ldapSettings(configuration: JsonObject, projectFolder: string, log: Log): LdapSettings {
  const given = new Given(configuration)
  refuse(configuration)
  warn(configuration, log)
  const secure = given.boolean('ssl')
  const startTls = given.boolean('startTLS')
  if (secure && startTls) throw invalid('startTLS', 'is set beside ssl; one of the two secures a connection')
  const servers = [
    { host: given.text('host'), port: given.number('port', secure ? 636 : 389), secure },
    ...given.texts('failover').map(serverOf),
  ]
  if (!startTls) requireSecurePasswords(given.text('passwordAttribute'), servers)
  return {
    servers,
    startTls,
    authorities: authorities(given.optional('trustedCertificates'), projectFolder),
    connectTimeout: given.number('connectTimeout', 10_000),
    readTimeout: given.number('readTimeout', 60_000),
    account: account(given),
    bases: bases(given.texts('baseContexts')),
    referrals: given.choice('referralsHandling', ['follow', 'ignore', 'throw']),
    uidAttribute: given.optional('uidAttribute'),
    accounts: {
      objectClasses: given.texts('accountObjectClasses'),
      filter: given.filter('accountSearchFilter'),
    },
    groups: { objectClasses: given.texts('groupObjectClasses'), filter: given.filter('groupSearchFilter') },
    userNames: given.texts('accountUserNameAttributes'),
    memberAttribute: given.text('groupMemberAttribute'),
    maintainMembership: given.boolean('maintainLdapGroupMembership'),
    passwordAttribute: given.text('passwordAttribute'),
    passwordHash: hashAlgorithm(given.optional('passwordHashAlgorithm')),
    forcePasswordChange: given.boolean('forcePasswordChangeAtNextLogon'),
    pageSize: given.number('blockSize', 500),
    ignoredAuthors: given.texts('modifiersNamesToFilterOut'),
  }
}

/** Reads single settings; null and an empty text count as absent. */
class Given {
  readonly #configuration: JsonObject

  constructor(configuration: JsonObject) {
    this.#configuration = configuration
  }

  value(name: SettingName): Json | undefined {
    const value = this.#configuration[name] ?? undefined
    if (value !== undefined && value !== '') return value
    const property: { readonly default?: unknown } = configurationSchema.properties[name]
    return JSON.parse(JSON.stringify(property.default ?? null)) ?? undefined
  }

  optional(name: SettingName): string | undefined {
    const value = this.value(name)
    if (value === undefined || typeof value === 'string') return value
    throw invalid(name, `is ${JSON.stringify(value)}, not a text`)
  }

  text(name: SettingName): string {
    const value = this.optional(name)
    if (value === undefined) throw invalid(name, 'is missing')
    return value
  }

  boolean(name: SettingName): boolean {
    const value = this.value(name)
    if (value === true || value === 'true') return true
    if (value === undefined || value === false || value === 'false') return false
    throw invalid(name, `is ${JSON.stringify(value)}, neither true nor false`)
  }

  number(name: SettingName, fallback: number): number {
    const value = this.value(name) ?? fallback
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number > 0) return number
    throw invalid(name, `is ${JSON.stringify(value)}, not a whole number above 0`)
  }

  texts(name: SettingName): readonly string[] {
    const value = this.value(name) ?? []
    const list = Array.isArray(value) ? value : [value]
    const texts = list.filter((one): one is string => typeof one === 'string' && one.trim() !== '')
    if (texts.length === list.length) return texts
    throw invalid(name, `is ${JSON.stringify(value)}, not a list of texts`)
  }

  choice<const T extends string>(name: SettingName, choices: readonly T[]): T {
    const value = this.text(name)
    const chosen = choices.find((choice) => choice === value.toLowerCase())
    if (chosen !== undefined) return chosen
    throw invalid(name, `is ${JSON.stringify(value)}; allowed are ${choices.join(', ')}`)
  }

  filter(name: SettingName): Filter | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    try {
      return FilterParser.parseString(text)
    } catch (cause) {
      throw invalid(name, `is ${JSON.stringify(text)}, which is no LDAP filter: ${cause}`)
    }
  }
}

function account(given: Given): LdapSettings['account'] {
  const dn = given.optional('principal')
  const password = given.optional('credentials')
  if (dn === undefined && password === undefined) return undefined
  if (dn === undefined) throw invalid('principal', 'is missing beside credentials')
  // Servers take a bind with an empty password for an anonymous one.
  if (password === undefined) throw invalid('credentials', 'is missing beside principal')
  return { dn, password: new Secret(password) }
}

function serverOf(url: string): Server {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const secure = parsed?.protocol === 'ldaps:'
  if (!parsed || parsed.hostname === '' || !(secure || parsed.protocol === 'ldap:'))
    throw invalid(
      'failover',
      `holds ${JSON.stringify(url)}; a server is ldap://host:port or ldaps://host:port`,
    )
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(parsed.port) || (secure ? 636 : 389), secure }
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

function bases(texts: readonly string[]): readonly Base[] {
  if (texts.length === 0) throw invalid('baseContexts', 'is empty; it names where entries are searched')
  const all = texts.map((text) => {
    const dn = parseDn(text)
    if (dn === undefined || dn.length === 0)
      throw invalid('baseContexts', `holds ${JSON.stringify(text)}, no name of an entry`)
    return { text, dn }
  })
  // An entry below two bases would be listed twice.
  return all.filter(
    (one, place) =>
      !all.some(
        (other, at) =>
          at !== place && contains(other.dn, one.dn) && (other.dn.length < one.dn.length || at < place),
      ),
  )
}

function authorities(file: string | undefined, projectFolder: string): string | undefined {
  if (file === undefined) return undefined
  const path = isAbsolute(file) ? file : resolve(projectFolder, file)
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  } catch (cause) {
    throw invalid('trustedCertificates', `is ${path}, which cannot be read: ${cause}`)
  }
  throw invalid('trustedCertificates', `is ${path}, which holds no certificate in PEM`)
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
  ['authType', (value) => String(value).toLowerCase() !== 'simple', 'only simple binds are there'],
  ['useDNSSRVRecord', isOn, 'servers are named by host and failover'],
  ['getGroupMemberId', isOn, 'members are given by name only'],
  ['maintainPosixGroupMembership', isOn, 'only groups with names of entries are kept up'],
  ['respectResourcePasswordPolicyChangeAfterReset', isOn, 'it is not looked at'],
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
    if (value === undefined || value === '' || !('noEffect' in property)) continue
    const usual = 'default' in property ? property.default : []
    if (JSON.stringify(value) !== JSON.stringify(usual))
      log('warn', `${name} has no effect: ${property.noEffect}`)
  }
}

function invalid(name: string, fact: string): Problem {
  return misconfigured(['configurationProperties', name], fact)
}
