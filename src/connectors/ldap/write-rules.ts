import type { Attribute } from 'ldapts'
import type { Attributes } from '../kit/values.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { ClassAttributes } from './attributes.ts'
import type { Dn } from './dn.ts'
import type { LdapSettings } from './settings.ts'

/** What a kind of servers needs beyond LDAP when it is written to: other names and values for what is asked. */
export interface WriteRules {
  creation(attributes: Attributes, name: Dn, context: WriteContext): Attributes
  /** Throws for a new entry that must not be, as it would be sent. */
  requireSound(entry: readonly Attribute[], context: WriteContext): void
  update(changes: readonly AttributeChange[], name: Dn, context: WriteContext): readonly AttributeChange[]
}

export interface WriteContext {
  readonly settings: LdapSettings
  readonly attributes: ClassAttributes
  /** What an entry is, where it does not say it. */
  readonly objectClasses: readonly string[]
  /** The connection is TLS. */
  readonly isSecure: boolean
  readonly server: string
}

/** LDAP as it is. */
export const plainRules: WriteRules = {
  creation: (attributes) => attributes,
  requireSound: () => undefined,
  update: (changes) => changes,
}
