import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { Secret } from '../kit/values.ts'
import type { SettingName } from './configuration-schema.ts'
import { type Given, invalid } from './given.ts'

/** How connections are secured, and who Syncline is at the other end. */
export interface Securing {
  /** TLS from the first byte. */
  readonly secure: boolean
  readonly startTls: boolean
  /** Certificates, PEM, of the authorities to trust instead of the system's. */
  readonly authorities: string | undefined
  /** What Syncline shows of itself in TLS, PEM. */
  readonly identity:
    | { readonly certificate: string; readonly key: string; readonly password: Secret | undefined }
    | undefined
  readonly bind: Bind
}

/** `external`: the server knows Syncline by its certificate, or by its process on a socket of the same machine (RFC 4422, appendix A). */
export type Bind =
  | { readonly kind: 'anonymous' | 'external' }
  | { readonly kind: 'simple'; readonly dn: string; readonly password: Secret }

export function securingOf(given: Given, projectFolder: string, hasLocal: boolean): Securing {
  const { secure, startTls } = security(given)
  const identity = identityOf(given, projectFolder)
  const bind = bindOf(given)
  if (identity && !secure && !startTls)
    throw invalid('clientCertificate', 'is set without TLS; set ssl or startTLS')
  if (bind.kind === 'external' && !identity && !hasLocal)
    throw invalid(
      'authType',
      'is EXTERNAL, by which the server knows Syncline from its certificate: set clientCertificate and clientKey',
    )
  return {
    secure,
    startTls,
    authorities: pem(given, 'trustedCertificates', projectFolder, 'CERTIFICATE'),
    identity,
    bind,
  }
}

function security(given: Given): Pick<Securing, 'secure' | 'startTls'> {
  const secure = given.boolean('ssl')
  const startTls = given.boolean('startTLS')
  if (secure && startTls) throw invalid('startTLS', 'is set beside ssl; one of the two secures a connection')
  if (given.value('connectionSecurity') === undefined) return { secure, startTls }
  const other = given.choice('connectionSecurity', ['none', 'ssl', 'starttls'])
  if ((secure && other !== 'ssl') || (startTls && other !== 'starttls'))
    throw invalid('connectionSecurity', `is ${other} beside ${secure ? 'ssl' : 'startTLS'}; set one of them`)
  return { secure: other === 'ssl', startTls: other === 'starttls' }
}

function bindOf(given: Given): Bind {
  const type = (given.optional('authType') ?? 'simple').toLowerCase().replace(/^sasl-/, '')
  const dn = given.optional('principal')
  const password = given.optional('credentials')
  if (type === 'external') {
    // Nobody shall believe that the password is looked at.
    if (password !== undefined)
      throw invalid('credentials', 'is set beside authType EXTERNAL, which needs no password')
    return { kind: 'external' }
  }
  if (type === 'gssapi')
    throw invalid(
      'authType',
      `is ${given.optional('authType')}: Kerberos is not there. Use simple over TLS, or EXTERNAL with a client certificate`,
    )
  if (type !== 'simple')
    throw invalid(
      'authType',
      `is ${JSON.stringify(given.optional('authType'))}; allowed are simple and EXTERNAL`,
    )
  if (dn === undefined && password === undefined) return { kind: 'anonymous' }
  if (dn === undefined) throw invalid('principal', 'is missing beside credentials')
  // Servers take a bind with an empty password for an anonymous one.
  if (password === undefined) throw invalid('credentials', 'is missing beside principal')
  return { kind: 'simple', dn, password: new Secret(password) }
}

function identityOf(given: Given, projectFolder: string): Securing['identity'] {
  const certificate = pem(given, 'clientCertificate', projectFolder, 'CERTIFICATE')
  const key = pem(given, 'clientKey', projectFolder, 'PRIVATE KEY')
  if (certificate === undefined && key === undefined) return undefined
  if (certificate === undefined) throw invalid('clientCertificate', 'is missing beside clientKey')
  if (key === undefined) throw invalid('clientKey', 'is missing beside clientCertificate')
  const password = given.optional('clientKeyPassword')
  try {
    createSecureContext({ cert: certificate, key, ...(password !== undefined && { passphrase: password }) })
  } catch (cause) {
    const fact = cause instanceof Error ? cause.message : String(cause)
    throw invalid(
      'clientKey',
      `does not go with clientCertificate, or needs another clientKeyPassword: ${fact}`,
    )
  }
  return { certificate, key, password: password === undefined ? undefined : new Secret(password) }
}

/** The content of a PEM file. */
function pem(given: Given, name: SettingName, projectFolder: string, what: string): string | undefined {
  const file = given.optional(name)
  if (file === undefined) return undefined
  const path = isAbsolute(file) ? file : resolve(projectFolder, file)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalid(name, `is ${path}, which cannot be read: ${cause}`)
  }
  if (new RegExp(`-----BEGIN ([A-Z]+ )*${what}-----`).test(text)) return text
  throw invalid(name, `is ${path}, which holds no ${what.toLowerCase()} in PEM`)
}
