import { EqualityFilter, type Filter, NotFilter } from 'ldapts'
import { requireUnlocking, requireYesOrNo, type VirtualAttribute, yesOrNo } from './virtual.ts'

/**
 * `__ENABLE__` and `__LOCK_OUT__` of directories other than Active Directory. No standard says how an account is kept out; each
 * server has an operational attribute of its own.
 */

/** The account is disabled while the attribute has this value. */
function disabledBy(attribute: string, disabled: string): VirtualAttribute {
  const isDisabled = (value: string | Buffer | undefined) =>
    value?.toString().toLowerCase() === disabled.toLowerCase()
  return {
    name: '__ENABLE__',
    type: 'boolean',
    from: [attribute],
    returnedByDefault: false,
    sharesItsAttribute: false,
    read: (state) => !isDisabled(state.get(attribute.toLowerCase())),
    write(value, state) {
      const isEnabled = requireYesOrNo(value, '__ENABLE__')
      if (!isEnabled) return { [attribute]: disabled }
      // Any other value is not that of somebody who disabled the account.
      return isDisabled(state.get(attribute.toLowerCase())) ? { [attribute]: undefined } : {}
    },
    filter(value): Filter | undefined {
      const isEnabled = yesOrNo(value)
      if (isEnabled === undefined) return undefined
      const found = new EqualityFilter({ attribute, value: disabled })
      return isEnabled ? new NotFilter({ filter: found }) : found
    },
  }
}

/** The account is locked while the attribute has a value, one of `other` excepted. Only wrong passwords lock it. */
function lockedBy(attribute: string, other?: string): VirtualAttribute {
  const isLock = (value: string | Buffer | undefined) => value !== undefined && value.toString() !== other
  return {
    name: '__LOCK_OUT__',
    type: 'boolean',
    from: [attribute],
    returnedByDefault: false,
    sharesItsAttribute: false,
    read: (state) => isLock(state.get(attribute.toLowerCase())),
    write(value, state) {
      requireUnlocking(value)
      return isLock(state.get(attribute.toLowerCase())) ? { [attribute]: undefined } : {}
    },
  }
}

/** Since the year 0: for ever (draft-behera-ldap-password-policy, section 5.3.3). */
const lockedForEver = '000001010000Z'

export const accountStates = {
  /** Both are one attribute of the overlay ppolicy. */
  openLdap: [
    disabledBy('pwdAccountLockedTime', lockedForEver),
    lockedBy('pwdAccountLockedTime', lockedForEver),
  ],
  openDj: [disabledBy('ds-pwp-account-disabled', 'true'), lockedBy('pwdAccountLockedTime')],
  directoryServer389: [disabledBy('nsAccountLock', 'true'), lockedBy('accountUnlockTime')],
} as const satisfies Record<string, readonly VirtualAttribute[]>
