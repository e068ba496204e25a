import type { ClassSettings, LdapSettings } from './settings.ts'
import type { Subschema } from './subschema.ts'

/**
 * The groups of an entry as a list of the entry (`ldapGroups`, `posixGroups`; platform §5.2). Nobody keeps such a list: it is
 * read from the groups, and written as single members of them.
 */
export interface Membership {
  readonly name: 'ldapGroups' | 'posixGroups'
  readonly groups: ClassSettings
  readonly memberAttribute: string
  /** What groups keep of a member: the name of its entry, or the values of this attribute. */
  readonly refersTo: 'name' | 'uid'
}

/** Those that the schema of the server allows. */
export function membershipsOf({ classes, types }: Subschema, settings: LdapSettings): readonly Membership[] {
  const posix: ClassSettings = {
    objectClasses: ['posixGroup'],
    filter: undefined,
    scope: settings.groups.scope,
  }
  const { memberAttribute } = settings
  const all: readonly Membership[] = [
    { name: 'ldapGroups', groups: settings.groups, memberAttribute, refersTo: 'name' },
    { name: 'posixGroups', groups: posix, memberAttribute: 'memberUid', refersTo: 'uid' },
  ]
  return all.filter(
    ({ groups, memberAttribute: member }) =>
      types.has(member.toLowerCase()) &&
      groups.objectClasses.every((name) => classes.has(name.toLowerCase())),
  )
}

/** Stands in groups whose object class does not allow them to be empty. Nobody sees it through Syncline. */
export interface Placeholder {
  readonly memberAttribute: string
  readonly name: string
}

export function placeholderOf({ placeholderMember, memberAttribute }: LdapSettings): Placeholder | undefined {
  return placeholderMember === undefined ? undefined : { memberAttribute, name: placeholderMember }
}
