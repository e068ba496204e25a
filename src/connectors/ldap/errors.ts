import { ResultCodeError } from 'ldapts'
import { Problem } from '../../model/problem.ts'
import { ConnectorError, type ErrorKind, errorCode } from '../kit/errors.ts'
import { windowsError } from './active-directory/errors.ts'
import { nameAttribute } from './attributes.ts'

/** What the result codes of servers (RFC 4511, appendix A) mean for the caller; others are `failed`. */
const kinds: Readonly<Record<number, ErrorKind>> = {
  3: 'timeout',
  7: 'misconfigured',
  8: 'misconfigured',
  12: 'unsupported',
  13: 'misconfigured',
  16: 'invalidValue',
  17: 'schemaViolation',
  19: 'invalidValue',
  20: 'invalidValue',
  21: 'invalidValue',
  32: 'unknownId',
  34: 'invalidValue',
  48: 'authentication',
  49: 'authentication',
  50: 'permission',
  51: 'busy',
  52: 'connection',
  64: 'schemaViolation',
  65: 'schemaViolation',
  67: 'schemaViolation',
  68: 'alreadyExists',
  69: 'schemaViolation',
}

const names: Readonly<Record<number, string>> = {
  1: 'operationsError',
  2: 'protocolError',
  3: 'timeLimitExceeded',
  4: 'sizeLimitExceeded',
  7: 'authMethodNotSupported',
  8: 'strongerAuthRequired',
  10: 'referral',
  11: 'adminLimitExceeded',
  12: 'unavailableCriticalExtension',
  13: 'confidentialityRequired',
  16: 'noSuchAttribute',
  17: 'undefinedAttributeType',
  18: 'inappropriateMatching',
  19: 'constraintViolation',
  20: 'attributeOrValueExists',
  21: 'invalidAttributeSyntax',
  32: 'noSuchObject',
  34: 'invalidDNSyntax',
  48: 'inappropriateAuthentication',
  49: 'invalidCredentials',
  50: 'insufficientAccessRights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwillingToPerform',
  64: 'namingViolation',
  65: 'objectClassViolation',
  66: 'notAllowedOnNonLeaf',
  67: 'notAllowedOnRDN',
  68: 'entryAlreadyExists',
  69: 'objectClassModsProhibited',
  70: 'resultsTooLarge',
  71: 'affectsMultipleDSAs',
  80: 'other',
}

/** What to do about them, where the text of the server does not say it. */
const hints: Readonly<Record<number, string>> = {
  3: 'Raise the time limit of the account of this system (OpenLDAP: olcLimits).',
  4: 'Raise the size limit of the account of this system (OpenLDAP: olcLimits).',
  8: 'Set ssl or startTLS.',
  11: 'Raise the limits of the account of this system (OpenLDAP: olcLimits).',
  13: 'Set ssl or startTLS.',
  16: 'Correct the name of the attribute in the object type, or add it to the schema of the server.',
  17: 'Correct the name of the attribute in the object type, or add it to the schema of the server.',
  19: 'Leave the attribute out of the mapping if the server writes it itself; otherwise give it a value that the rule of the server allows.',
  49: 'Check principal and credentials in configurationProperties.',
  50: 'Give the account of this system the right to it (OpenLDAP: olcAccess).',
  65: 'Give the object all attributes that its object classes require, and none that they do not allow.',
  80: 'Look into the log of the server, and at the space that its disk and its database have (OpenLDAP: olcDbMaxSize).',
}

/** The result code of an error, also of one that `ldapError` made; undefined if the server sent none. */
export function resultCode(error: unknown): number | undefined {
  if (error instanceof ResultCodeError) return error.code
  return error instanceof Problem ? resultCode(error.cause) : undefined
}

/** An error of the client library as one of the kinds. `what` begins the message: `ldap.example.com:389`. */
export function ldapError(error: unknown, what: string): Problem {
  if (error instanceof Problem) return error
  if (error instanceof ResultCodeError) {
    const { code } = error
    const own = error.message.replace(/ Code: 0x[0-9a-f]+$/, '').trim()
    const name = names[code] ?? 'an error'
    const message = `${what} answers ${name} (${code})${own === '' ? '' : `: ${own}`}`
    const windows = windowsError(own)
    const hint = windows?.hint ?? hints[code]
    const attribute = windows?.attribute ?? (code === 68 ? nameAttribute : undefined)
    return new ConnectorError(windows?.kind ?? kinds[code] ?? 'failed', message, {
      cause: error,
      detail: { resultCode: code },
      ...(attribute !== undefined && { attribute }),
      ...(hint !== undefined && { hint }),
    })
  }
  const message = error instanceof Error ? (error.message.split('\n').at(-1) ?? '') : String(error)
  const kind = /timed out|timeout/i.test(message) ? 'timeout' : 'connection'
  const code = errorCode(error)
  return new ConnectorError(kind, `${what}: ${message === '' ? code : message}`, {
    cause: error,
    ...(certificateCodes.test(code) && { hint: certificateHints[code] ?? unknownAuthority }),
  })
}

/** Codes of Node when a certificate is not trusted, expired, or of another host. */
const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS_/
const unknownAuthority =
  'Name the authority that signed the certificate in trustedCertificates, and the host as the certificate does.'
const certificateHints: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Give the server a new certificate; the check cannot be turned off.',
  CERT_NOT_YET_VALID:
    'Check the clocks of both machines; the certificate of the server is one of the future.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Name the host as its certificate does.',
}
