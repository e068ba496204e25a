import { createHash, randomBytes } from 'node:crypto'
import { ConnectorError } from '../kit/errors.ts'
import type { Secret } from '../kit/values.ts'

/** How a password is written (RFC 2307): hashed here, or as it is, for a server that hashes. */
export const hashAlgorithms = ['SSHA', 'SHA', 'SMD5', 'MD5'] as const
export type HashAlgorithm = (typeof hashAlgorithms)[number]

const digests = { SSHA: 'sha1', SHA: 'sha1', SMD5: 'md5', MD5: 'md5' } as const

/** How Active Directory takes passwords, whether the configuration says it or not; no other server does. */
export const windowsPassword = 'WIN-AD'

export function writtenPassword(
  password: Secret,
  algorithm: HashAlgorithm | typeof windowsPassword | undefined,
): string {
  if (algorithm === undefined) return password.reveal()
  if (algorithm === windowsPassword)
    throw new ConnectorError(
      'misconfigured',
      `passwordHashAlgorithm is ${algorithm}, and the server is no Active Directory; without this setting the server hashes`,
    )
  const salt = algorithm.startsWith('SS') || algorithm === 'SMD5' ? randomBytes(8) : Buffer.alloc(0)
  const digest = createHash(digests[algorithm]).update(password.reveal()).update(salt).digest()
  return `{${algorithm}}${Buffer.concat([digest, salt]).toString('base64')}`
}
