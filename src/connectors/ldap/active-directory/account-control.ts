import type { Value } from '../../kit/values.ts'
import {
  bitFilter,
  refused,
  requireUnlocking,
  requireYesOrNo,
  type State,
  type VirtualAttribute,
  yesOrNo,
} from '../virtual.ts'

/**
 * What Active Directory keeps as bits of an account ([MS-ADTS] 2.2.16): those of userAccountControl can be written, those of
 * msDS-User-Account-Control-Computed are found out by the server when it is asked.
 */
export const accountControl = 'userAccountControl'
export const computedControl = 'msDS-User-Account-Control-Computed'

export const accountBits = {
  disabled: 0x2,
  lockedOut: 0x10,
  passwordNotRequired: 0x20,
  normal: 0x200,
  passwordNeverExpires: 0x10000,
  smartcardRequired: 0x40000,
  passwordExpired: 0x800000,
} as const

/** One bit; `inverted`: it says the opposite. */
function flag(name: string, bit: number, { inverted = false } = {}): VirtualAttribute {
  return {
    name,
    type: 'boolean',
    from: [accountControl],
    returnedByDefault: true,
    sharesItsAttribute: true,
    read(state) {
      const bits = bitsIn(state, accountControl)
      return bits === undefined ? undefined : hasBits(bits, bit) !== inverted
    },
    write(value, state) {
      const isOn = value === null && !inverted ? false : requireYesOrNo(value, name)
      const bits = bitsIn(state, accountControl) ?? accountBits.normal
      return { [accountControl]: String(isOn !== inverted ? bits | bit : bits & ~bit) }
    },
    filter(value) {
      const isOn = yesOrNo(value)
      return isOn === undefined ? undefined : bitFilter(accountControl, bit, isOn !== inverted)
    },
  }
}

/** Found out by the server: the time of a lockout stays behind when the lockout is over. */
const lockOut: VirtualAttribute = {
  name: '__LOCK_OUT__',
  type: 'boolean',
  from: ['lockoutTime', computedControl],
  returnedByDefault: false,
  sharesItsAttribute: false,
  read(state) {
    if ((state.get('lockouttime')?.toString() ?? '0') === '0') return false
    return hasBits(bitsIn(state, computedControl) ?? 0, accountBits.lockedOut)
  },
  write(value) {
    requireUnlocking(value)
    return { lockoutTime: '0' }
  },
}

/** True: the next login must change the password. */
const passwordExpired: VirtualAttribute = {
  name: '__PASSWORD_EXPIRED__',
  type: 'boolean',
  from: ['pwdLastSet', computedControl],
  returnedByDefault: false,
  sharesItsAttribute: false,
  read(state) {
    const computed = bitsIn(state, computedControl)
    if (computed !== undefined) return hasBits(computed, accountBits.passwordExpired)
    return state.get('pwdlastset')?.toString() === passwordMustChange
  },
  write(value: Value) {
    const isExpired = value !== null && requireYesOrNo(value, '__PASSWORD_EXPIRED__')
    return { pwdLastSet: isExpired ? passwordMustChange : passwordSetNow }
  },
}

export const passwordMustChange = '0'
/** The server takes it as the present. */
const passwordSetNow = '-1'

export const accountAttributes: readonly VirtualAttribute[] = [
  flag('__ENABLE__', accountBits.disabled, { inverted: true }),
  flag('__PASSWORD_NOTREQD__', accountBits.passwordNotRequired),
  flag('__DONT_EXPIRE_PASSWORD__', accountBits.passwordNeverExpires),
  flag('__SMARTCARD_REQUIRED__', accountBits.smartcardRequired),
  lockOut,
  passwordExpired,
]

/** What a new account begins with: without a password nobody can log in to it. */
export function controlOfNewAccount(hasPassword: boolean): string {
  return String(hasPassword ? accountBits.normal : accountBits.normal | accountBits.disabled)
}

/** Active Directory would refuse it, Samba would not: an account that opens without a password. */
export function requirePassword(state: State, hasPassword: boolean): void {
  const bits = bitsIn(state, accountControl) ?? 0
  const needsOne =
    !hasBits(bits, accountBits.passwordNotRequired) && !hasBits(bits, accountBits.smartcardRequired)
  if (hasPassword || !needsOne || hasBits(bits, accountBits.disabled)) return
  throw refused(
    '__ENABLE__',
    'cannot be true for a new account without a password; give it one, or create it disabled',
  )
}

function bitsIn(state: State, attribute: string): number | undefined {
  const value = state.get(attribute.toLowerCase())
  return value === undefined ? undefined : Number(value.toString())
}

function hasBits(bits: number, wanted: number): boolean {
  return (bits & wanted) === wanted
}
