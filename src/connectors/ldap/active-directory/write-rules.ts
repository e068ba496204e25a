import { ConnectorError } from '../../kit/errors.ts'
import { type Attributes, Secret, setAttribute, type Value } from '../../kit/values.ts'
import type { AttributeChange } from '../../kit/write.ts'
import { stateOfAttributes } from '../virtual-writes.ts'
import type { WriteContext, WriteRules } from '../write-rules.ts'
import {
  accountControl,
  controlOfNewAccount,
  passwordMustChange,
  requirePassword,
} from './account-control.ts'
import { isNaming, renaming, requireSameName } from './naming.ts'
import { currentPassword, isPasswordName, quotedPassword, unicodePassword } from './passwords.ts'

/**
 * Writing to Active Directory. A new account is one request with its password and its state: no account is left enabled
 * without a password, or half made. The attribute that names an entry is changed by a rename.
 */
export const activeDirectoryRules: WriteRules = {
  creation(attributes, name, context) {
    const result: Attributes = {}
    let password: Secret | undefined
    for (const [attribute, value] of Object.entries(attributes)) {
      const given = value === undefined ? undefined : passwordIn(attribute, value, context)
      if (given) password = given
      else if (isNaming(attribute, name)) requireSameName(attribute, value, name)
      else setAttribute(result, attribute, value ?? null)
    }
    if (isAccount(result, context) && !hasAttribute(result, accountControl))
      result[accountControl] = controlOfNewAccount(password !== undefined)
    return { ...result, ...(password && writtenPassword(password, context)) }
  },

  requireSound(entry, { attributes }) {
    const state = stateOfAttributes(entry)
    if (attributes.byName.has(accountControl.toLowerCase()) && state.has(accountControl.toLowerCase()))
      requirePassword(state, state.has(unicodePassword.toLowerCase()))
  },

  update(changes, name, context) {
    return passwordChanges(renaming(changes, name), context)
  },
}

/** Accounts of people. A computer is one, too, and begins with other bits. */
function isAccount(attributes: Attributes, { objectClasses }: WriteContext): boolean {
  const own = Object.entries(attributes).find(([name]) => name.toLowerCase() === 'objectclass')?.[1]
  const classes = (Array.isArray(own) ? own : objectClasses).map((one) => String(one).toLowerCase())
  return classes.includes('user') && !classes.includes('computer')
}

function hasAttribute(attributes: Attributes, name: string): boolean {
  return Object.keys(attributes).some((one) => one.toLowerCase() === name.toLowerCase())
}

/** The password in a value, if the attribute is for one; what the server keeps as text to be read is none. */
function passwordIn(name: string, value: Value, context: WriteContext): Secret | undefined {
  if (!isPasswordName(name, context.settings.passwordAttribute)) return undefined
  return passwordOf(name, value, context)
}

function passwordOf(name: string, value: Value, { isSecure, server }: WriteContext): Secret {
  if (!isSecure)
    throw new ConnectorError(
      'misconfigured',
      `${server} is Active Directory, which takes passwords over TLS only; set ssl or startTLS`,
      { attribute: name },
    )
  if (value instanceof Secret) return value
  if (typeof value === 'string') return new Secret(value)
  throw new ConnectorError('invalidValue', `${name} takes a text`, { attribute: name })
}

function writtenPassword(password: Secret, { settings }: WriteContext): Attributes {
  return {
    [unicodePassword]: new Uint8Array(quotedPassword(password)),
    ...(settings.forcePasswordChange && { pwdLastSet: passwordMustChange }),
  }
}

/** With the present password it is the change of a user, otherwise the reset of an administrator. */
function passwordChanges(
  changes: readonly AttributeChange[],
  context: WriteContext,
): readonly AttributeChange[] {
  const current = changes.find(({ attribute }) => attribute === currentPassword)
  const isPassword = ({ attribute }: AttributeChange) =>
    isPasswordName(attribute, context.settings.passwordAttribute)
  const setting = changes.find(isPassword)
  if (!setting && !current) return changes
  if (setting?.kind !== 'set')
    throw new ConnectorError('invalidValue', 'A password can be replaced by another one only', {
      attribute: setting?.attribute ?? currentPassword,
    })
  const password = passwordOf(setting.attribute, setting.value, context)
  const others = changes.filter((change) => change !== current && !isPassword(change))
  if (current?.kind === 'set') {
    const old = passwordOf(currentPassword, current.value, context)
    const [remove, add] = [old, password].map((one) => [new Uint8Array(quotedPassword(one))])
    return [{ attribute: unicodePassword, kind: 'delta', add: add ?? [], remove: remove ?? [] }, ...others]
  }
  const written = Object.entries(writtenPassword(password, context)).map(
    ([attribute, value]): AttributeChange => ({ attribute, kind: 'set', value: value ?? null }),
  )
  return [...written, ...others]
}
