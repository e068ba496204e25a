import { errorCode } from '../kit/errors.ts'

/** What to do about errors of a server that have one cause, whatever the database; the words of the server stay the message. */
export const advice = {
  full: 'Make room on the disk of the database server, or raise its limit, then run again: what was not written is done then.',
  tooLong:
    'The server ends statements that take longer than its limit. Raise the limit for this account, or see whether an index is missing.',
  database: 'Check database, host and port in configurationProperties.',
} as const

/** Why a certificate was refused, by the codes of Node. */
const certificates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Renew the certificate of the database server.',
  CERT_NOT_YET_VALID: 'Check the clocks of this machine and of the database server.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Give host as the certificate of the server names it.',
}
const untrusted =
  'Let Node trust who has signed the certificate (NODE_EXTRA_CA_CERTS), or give sslmode=require (SQL Server: trustServerCertificate=true) to encrypt without checking it.'
const untrustedCodes = /^(DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_(VERIFY|GET_ISSUER)/

/** Undefined for any other error. */
export function certificateAdvice(thrown: unknown): string | undefined {
  const code = errorCode(thrown)
  return certificates[code] ?? (untrustedCodes.test(code) ? untrusted : undefined)
}
