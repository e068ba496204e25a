import { Attribute, Change } from 'ldapts'
import type { Connection } from './connection.ts'
import { type Facts, groupClass } from './directory.ts'
import { resultCode } from './errors.ts'
import { and, equals } from './filter.ts'
import { searchBases } from './read.ts'
import type { LdapSettings } from './settings.ts'

/** Lets the groups follow an entry that was renamed or deleted, for servers that do not do it themselves. */
export async function membersRenamed(
  connection: Connection,
  facts: Facts,
  settings: LdapSettings,
  { oldName, newName }: { readonly oldName: string; readonly newName: string | undefined },
  signal?: AbortSignal,
): Promise<void> {
  const { memberAttribute: type, pageSize } = settings
  const { filter: isGroup, scope } = facts.class(groupClass)
  const filter = and([isGroup, equals(type, oldName)])
  const question = { filter, scope, pageSize, attributes: ['1.1'], binary: [] }
  const groups: string[] = []
  for await (const page of searchBases(connection, facts, settings, question, signal))
    groups.push(...page.map(({ dn }) => dn))
  const change = (operation: 'add' | 'delete', value: string) =>
    new Change({ operation, modification: new Attribute({ type, values: [value] }) })
  // Adding comes first: some groups must not be empty in between.
  const changes = [...(newName === undefined ? [] : [change('add', newName)]), change('delete', oldName)]
  for (const group of groups) {
    try {
      await connection.run((client) => client.modify(group, changes), signal)
    } catch (error) {
      // The server, or another program, was faster.
      if (![16, 20, 32].includes(resultCode(error) ?? 0)) throw error
    }
  }
}
