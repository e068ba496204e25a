import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { LdapConnector } from '../ldap-connector.ts'
import { people, startSlapd } from '../testing/slapd.ts'

/** A directory that says it is Active Directory, and compares the value that a change replaces, which Samba does not. */
function lookalike(folder: string): readonly string[] {
  writeFileSync(join(folder, 'root.ldif'), 'dn:\nvendorName: Samba Team (https://samba.org)\n')
  const integer = 'EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE'
  return [
    `olcRootDSE: ${join(folder, 'root.ldif')}`,
    `olcAttributeTypes: ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' ${integer} )`,
    "olcObjectClasses: ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY MAY userAccountControl )",
  ]
}

it('programs that write different bits of one account at the same time do not undo each other', async () => {
  const account = `dn: uid=a,${people}\nobjectClass: inetOrgPerson\nobjectClass: user\nuid: a\ncn: a\nsn: a\n`
  await using slapd = await startSlapd({ global: lookalike, entries: `${account}userAccountControl: 512\n` })
  const settings = { accountObjectClasses: ['inetOrgPerson', 'user'], uidAttribute: 'entryUUID' }
  await using one = slapd.connect(settings)
  await using other = slapd.connect(settings)
  const query = { objectClass: '__ACCOUNT__', filter: { kind: 'literal', value: true } } as const
  const [found] = (await Array.fromAsync(one.search(query))).flat()
  const id = found?._id ?? ''
  const set = async (connector: LdapConnector, attribute: string, value: boolean) => {
    const changes = [{ attribute, kind: 'set', value }] as const
    const [outcome] = await connector.writeMany('__ACCOUNT__', [{ operation: 'update', id, changes }])
    expect(outcome?.ok === false ? outcome.error.message : '').toBe('')
  }
  for (let round = 0; round < 40; round++) {
    const value = round % 2 === 0
    await Promise.all([
      set(one, '__ENABLE__', !value),
      set(other, '__DONT_EXPIRE_PASSWORD__', value),
      set(other, '__SMARTCARD_REQUIRED__', value),
    ])
    const object = (await one.readMany('__ACCOUNT__', [id], ['userAccountControl'])).get(id)
    expect(object).toMatchObject({ userAccountControl: String(value ? 0x50202 : 0x200) })
  }
})
