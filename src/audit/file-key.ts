import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The key of the hashes in CSV files: a separate file beside the store, made when it is first needed. Anyone who can read
 * it can forge these files. It is not the key of encrypted values, and stays when that key is rotated.
 */
export function auditFileKey(dataFolder: string): Buffer {
  const file = join(dataFolder, 'audit-key')
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url')
}
