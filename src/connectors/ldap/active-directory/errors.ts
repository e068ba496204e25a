import type { ErrorKind } from '../../kit/errors.ts'

/**
 * Active Directory begins its texts with a number of Windows ([MS-ERREF]), which says more than the result code of LDAP:
 * `0000052D: Constraint violation …`.
 */
export interface WindowsError {
  readonly kind: ErrorKind
  readonly hint?: string
  /** Whose value is refused. */
  readonly attribute?: string
}

const byNumber: Readonly<Record<string, WindowsError>> = {
  '00000005': { kind: 'permission' },
  '0000001F': { kind: 'misconfigured', hint: 'Passwords are taken over TLS only: set ssl or startTLS.' },
  '00000056': {
    kind: 'invalidValue',
    attribute: '__CURRENT_PASSWORD__',
    hint: 'The present password is another one.',
  },
  '0000052D': {
    kind: 'invalidValue',
    attribute: 'unicodePwd',
    hint: 'The domain refuses this password: look at its rules for length, complexity, history and age. To enable an account, it needs a password.',
  },
  '00000524': { kind: 'alreadyExists', attribute: 'sAMAccountName' },
  '00000525': { kind: 'invalidValue', hint: 'There is no such entry; a group takes entries that exist.' },
  '00002035': { kind: 'invalidValue' },
  '00002077': { kind: 'invalidValue', hint: 'The server sets this attribute itself, or not in this way.' },
  '00002098': { kind: 'permission' },
  '0000209A': { kind: 'invalidValue', hint: 'The server sets this attribute itself.' },
  '000021C7': { kind: 'alreadyExists', attribute: 'servicePrincipalName' },
  '000021C8': { kind: 'alreadyExists', attribute: 'userPrincipalName' },
}

/** What the number at the beginning of a text says; undefined: nothing that LDAP does not say. */
export function windowsError(text: string): WindowsError | undefined {
  const number = /^([0-9A-F]{8}): /i.exec(text)?.[1]?.toUpperCase()
  if (number === undefined) return undefined
  // Samba has one number for values of several attributes that are in use.
  const [, taken] =
    /(sAMAccountName|userPrincipalName|servicePrincipalName) '[^']*' (?:is )?already in use/i.exec(text) ?? []
  if (taken !== undefined) return { kind: 'alreadyExists', attribute: spelled(taken) }
  return byNumber[number]
}

function spelled(name: string): string {
  const known = ['sAMAccountName', 'userPrincipalName', 'servicePrincipalName']
  return known.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name
}

/** Why a login failed: `…AcceptSecurityContext error, data 533, v1db1`. Each is told only where it is certain. */
const logins: Readonly<Record<string, { readonly kind: ErrorKind; readonly fact: string }>> = {
  '530': { kind: 'permission', fact: 'The account may not log in at this time' },
  '531': { kind: 'permission', fact: 'The account may not log in from this computer' },
  '532': { kind: 'passwordExpired', fact: 'The password has expired' },
  '533': { kind: 'permission', fact: 'The account is disabled' },
  '701': { kind: 'permission', fact: 'The account has expired' },
  '773': { kind: 'passwordExpired', fact: 'The password must be changed before the first login' },
  '775': { kind: 'permission', fact: 'The account is locked after too many wrong passwords' },
}

/** Undefined: the name or the password is wrong. */
export function loginRefusal(text: string): { readonly kind: ErrorKind; readonly fact: string } | undefined {
  const number = /AcceptSecurityContext error, data ([0-9a-f]+),/i.exec(text)?.[1]
  return number === undefined ? undefined : logins[number.toLowerCase()]
}
