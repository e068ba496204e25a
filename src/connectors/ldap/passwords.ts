import { createHash, randomBytes } from 'node:crypto'
import type { Secret } from '../kit/values.ts'

/** How a password is written (RFC 2307): hashed here, or as it is, for a server that hashes. */
export const hashAlgorithms = ['SSHA', 'SHA', 'SMD5', 'MD5'] as const
export type HashAlgorithm = (typeof hashAlgorithms)[number]

const digests = { SSHA: 'sha1', SHA: 'sha1', SMD5: 'md5', MD5: 'md5' } as const

export function writtenPassword(password: Secret, algorithm: HashAlgorithm | undefined): string {
  if (algorithm === undefined) return password.reveal()
  const salt = algorithm.startsWith('SS') || algorithm === 'SMD5' ? randomBytes(8) : Buffer.alloc(0)
  const digest = createHash(digests[algorithm]).update(password.reveal()).update(salt).digest()
  return `{${algorithm}}${Buffer.concat([digest, salt]).toString('base64')}`
}
