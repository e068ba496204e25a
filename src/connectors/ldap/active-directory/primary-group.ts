import type { Change } from 'ldapts'
import { ConnectorError } from '../../kit/errors.ts'
import type { Connection } from '../connection.ts'

/**
 * The primary group of an account is a number in the account (primaryGroupID), and the list of the group does not have it: the
 * account is a member, and cannot be added as one.
 */
export async function isMemberAlready(
  { connection, name }: { readonly connection: Connection; readonly name: string },
  changes: readonly Change[],
  signal?: AbortSignal,
): Promise<ConnectorError | undefined> {
  const added = changes.flatMap(({ operation, modification: { type, values } }) =>
    operation === 'add' && type.toLowerCase() === 'member' ? values.map(String) : [],
  )
  if (added.length === 0) return undefined
  const group = await connection.entry(name, { attributes: ['objectSid'], binary: ['objectSid'] }, signal)
  const number = relativeId(group?.objectSid)
  for (const member of number === undefined ? [] : added) {
    const account = await connection.entry(member, { attributes: ['primaryGroupID'] }, signal)
    if (account?.primaryGroupID !== number) continue
    return new ConnectorError(
      'invalidValue',
      `"${name}" is the primary group of "${member}", which is a member without being in its list`,
      {
        attribute: 'member',
        hint: 'Leave it out of member, or give the account another primaryGroupID first.',
      },
    )
  }
  return undefined
}

/** The last number of a SID ([MS-DTYP] 2.4.2). */
function relativeId(sid: unknown): string | undefined {
  return Buffer.isBuffer(sid) && sid.length >= 12 ? String(sid.readUInt32LE(sid.length - 4)) : undefined
}
