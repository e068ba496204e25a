import type { Finding } from '../model/finding.ts'
import { asObject, elementsOf, type Json, type JsonObject } from '../model/json.ts'

/** `conf/external.email.json`: the mail server, and how to speak with it. */
export interface MailSettings {
  readonly host: string
  readonly port: number
  /** `starttls`: the connection is encrypted before anything is said, or no mail is sent. */
  readonly security: 'none' | 'starttls' | 'tls'
  /** The password may be encrypted. */
  readonly login: { readonly username: string; readonly password: Json } | undefined
  /** The sender where a mail names none. */
  readonly from: string | undefined
  /** How the server calls itself. */
  readonly name: string | undefined
  /** ms */
  readonly connectionTimeout: number
  /** ms without a word from the mail server. */
  readonly timeout: number
  readonly tls: TlsSettings
}

export interface TlsSettings {
  readonly minVersion?: TlsVersion
  readonly maxVersion?: TlsVersion
  /** False: a certificate of nobody known will do. */
  readonly rejectUnauthorized?: boolean
  /** False: the certificate may be that of another host. */
  readonly checksHost?: boolean
}

const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
type TlsVersion = (typeof tlsVersions)[number]

const flag = (description: string) => ({ type: 'boolean', 'x-lenient': true, description })
const milliseconds = (description: string) => ({
  ...{ type: 'integer', minimum: 0, 'x-lenient': true, default: 300_000 },
  description: `${description} Milliseconds; 0: without limit.`,
})
const switched = (description: string) => ({
  type: 'object',
  properties: { enable: flag(description) },
})

export const mailSchema: JsonObject = {
  type: 'object',
  properties: {
    type: {
      ...{ type: 'string', enum: ['smtp'], 'x-ignoreCase': true },
      ...{ 'x-noun': 'a kind of mail service that Syncline speaks with', description: 'The mail service.' },
    },
    host: { type: 'string', minLength: 1, default: 'localhost', description: 'The mail server.' },
    port: { type: 'integer', minimum: 1, maximum: 65_535, 'x-lenient': true, description: 'Its port.' },
    debug: {
      ...{ type: 'boolean', 'x-lenient': true, default: false },
      'x-noEffect': 'an error says at which step the mail server refused, and what it answered',
    },
    from: { type: 'string', description: 'The sender of mails that name none.' },
    auth: {
      type: 'object',
      properties: {
        enable: flag('Whether to log in.'),
        username: { type: 'string', description: 'The account at the mail server.' },
        password: { type: 'string', writeOnly: true, description: 'Its password; it is kept encrypted.' },
        type: {
          ...{ type: 'string', enum: ['basic'], 'x-ignoreCase': true },
          ...{ 'x-noun': 'a way to log in at a mail server that Syncline knows' },
        },
      },
    },
    starttls: switched('Encrypt the connection with STARTTLS; a server that cannot gets no mail.'),
    ssl: switched('Speak TLS from the beginning, as on port 465.'),
    smtpProperties: {
      ...{ type: 'array', items: { type: 'string' } },
      description: 'Properties of JavaMail, each `name=value`.',
    },
    timeout: milliseconds('How long to wait for an answer of the mail server.'),
    writetimeout: milliseconds('The same: the longer of the two counts.'),
    connectiontimeout: milliseconds('How long to wait for a connection.'),
    threadPoolSize: {
      ...{ type: 'integer', 'x-lenient': true, default: 20 },
      'x-noEffect': 'mails are sent without threads, as many at once as are asked for',
    },
  },
}

/** `content` has the types of the schema. */
export function mailSettings(content: JsonObject): { value: MailSettings; findings: readonly Finding[] } {
  const properties = smtpProperties(content)
  const findings = [...properties.findings]
  const auth = asObject(content.auth)
  const { username, password } = auth
  const hasName = typeof username === 'string' && username !== ''
  const hasPassword = password !== undefined && password !== null && password !== ''
  if (isOn(content.auth) && !(hasName && hasPassword))
    findings.push({ place: ['auth'], message: 'to log in, username and password are needed; add them' })
  const security = isOn(content.ssl)
    ? 'tls'
    : isOn(content.starttls) || properties.starttls
      ? 'starttls'
      : 'none'
  const value: MailSettings = {
    host: textIn(content.host) ?? 'localhost',
    port: typeof content.port === 'number' ? content.port : security === 'tls' ? 465 : 25,
    security,
    login:
      isOn(content.auth) && hasName && password !== undefined
        ? { username: String(username), password }
        : undefined,
    from: textIn(content.from),
    name: properties.name,
    connectionTimeout: limit(content.connectiontimeout),
    timeout: Math.max(limit(content.timeout), limit(content.writetimeout)),
    tls: properties.tls,
  }
  return { value, findings }
}

function isOn(value: Json | undefined): boolean {
  return asObject(value).enable === true
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

/** The longest that a timer can wait is as good as no limit. */
function limit(value: Json | undefined): number {
  return typeof value === 'number' ? value || 2 ** 31 - 1 : 300_000
}

interface SmtpProperties {
  readonly tls: TlsSettings
  readonly starttls: boolean
  readonly name: string | undefined
  readonly findings: readonly Finding[]
}

/** What JavaMail calls `mail.smtp.…`, or `mail.smtps.…` for a connection that is encrypted from the beginning. */
function smtpProperties(content: JsonObject): SmtpProperties {
  const host = textIn(content.host) ?? 'localhost'
  const findings: Finding[] = []
  let tls: TlsSettings = {}
  let starttls = false
  let name: string | undefined
  for (const [index, line] of elementsOf(content.smtpProperties ?? []).entries()) {
    const [, key = '', value = ''] =
      /^\s*(?:mail\.smtps?\.)?([^=\s]+)\s*=\s*(.*?)\s*$/.exec(String(line)) ?? []
    if (key === 'ssl.protocols') tls = { ...tls, ...protocols(value) }
    else if (key === 'ssl.trust') {
      if (value === '*' || value.split(/\s+/).includes(host)) tls = { ...tls, rejectUnauthorized: false }
    } else if (key === 'ssl.checkserveridentity') tls = { ...tls, checksHost: value !== 'false' }
    else if (key === 'starttls.required' || key === 'starttls.enable') starttls ||= value === 'true'
    else if (key === 'localhost') name = value
    // Addresses beyond ASCII are written as such wherever the mail server takes them.
    else if (key !== 'mail.mime.allowutf8')
      findings.push({
        ...{ severity: 'warning', place: ['smtpProperties', index] },
        message: `${JSON.stringify(line)} has no effect: known are ${knownProperties}`,
      })
  }
  return { tls, starttls, name, findings }
}

const knownProperties =
  'mail.smtp.ssl.protocols, ssl.trust, ssl.checkserveridentity, starttls.enable, starttls.required, localhost, and mail.mime.allowutf8'

function protocols(value: string): TlsSettings {
  const named = tlsVersions.filter((version) => value.split(/[\s,]+/).includes(version))
  const [minVersion] = named
  const maxVersion = named.at(-1)
  return minVersion && maxVersion ? { minVersion, maxVersion } : {}
}
