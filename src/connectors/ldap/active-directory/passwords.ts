import type { Secret } from '../../kit/values.ts'

/** Where Active Directory takes passwords ([MS-ADTS] 3.1.1.3.1.5): over TLS only, and never gives them back. */
export const unicodePassword = 'unicodePwd'

/** The present password in a write of a new one: then it is a change, to which the rules for users apply, and no reset. */
export const currentPassword = '__CURRENT_PASSWORD__'

/** Under any of these names a password may be meant; under that of the standard the server would keep it as text to be read. */
const names: ReadonlySet<string> = new Set(['unicodepwd', 'userpassword'])

export function isPasswordName(name: string, passwordAttribute: string): boolean {
  const lower = name.toLowerCase()
  return names.has(lower) || lower === passwordAttribute.toLowerCase()
}

export function quotedPassword(password: Secret): Buffer {
  return Buffer.from(`"${password.reveal()}"`, 'utf16le')
}
