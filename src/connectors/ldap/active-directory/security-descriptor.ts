import { BerWriter, Control } from 'ldapts'
import { refused, requireYesOrNo, type State, type VirtualAttribute } from '../virtual.ts'
import { accountControl } from './account-control.ts'

/**
 * "User cannot change password" is no flag of an account: it is whether the account itself (SELF) and everybody are denied the right
 * to change its password, in its list of access rights ([MS-ADTS] 5.1.3, [MS-DTYP] 2.4). Both are written, as the tools of Windows do.
 */
export const descriptorAttribute = 'nTSecurityDescriptor'

/** Asks for the list of rights alone: the rest needs rights that few accounts have, and would be written along. */
class DescriptorFlags extends Control {
  override writeControl(writer: BerWriter): void {
    const value = new BerWriter()
    value.startSequence()
    value.writeInt(rightsOnly)
    value.endSequence()
    writer.writeBuffer(value.buffer, 0x04)
  }
}

const rightsOnly = 4

/** What must go along with a request that names these attributes. */
export function descriptorControls(attributes: readonly string[]): readonly Control[] {
  const isMeant = attributes.some((name) => name.toLowerCase() === descriptorAttribute.toLowerCase())
  return isMeant ? [new DescriptorFlags('1.2.840.113556.1.4.801', { critical: true })] : []
}

export const passwordCannotChange: VirtualAttribute = {
  name: '__PASSWD_CANT_CHANGE__',
  type: 'boolean',
  // Entries of every kind have a descriptor; accounts alone have passwords.
  from: [descriptorAttribute, accountControl],
  returnedByDefault: false,
  sharesItsAttribute: false,
  needsEntry: true,
  read(state) {
    const descriptor = descriptorIn(state)
    return descriptor && rightsIn(descriptor).some((right) => isAboutPassword(right) && right[0] === denied)
  },
  write(value, state) {
    const isDenied = value !== null && requireYesOrNo(value, '__PASSWD_CANT_CHANGE__')
    const descriptor = descriptorIn(state)
    if (!descriptor || descriptor.readUInt32LE(rightsOffset) === 0)
      throw refused(
        '__PASSWD_CANT_CHANGE__',
        'cannot be written: the server shows no list of rights (nTSecurityDescriptor) of the entry',
      )
    return { [descriptorAttribute]: withRights(descriptor, changedRights(rightsIn(descriptor), isDenied)) }
  },
}

/** Places within a descriptor. */
const rightsOffset = 16
const headLength = 20
const listHeadLength = 8

/** Kinds of rights about a part of an object; and the flag of one that comes from above. */
const allowed = 5
const denied = 6
const inherited = 0x10

const changePassword = Buffer.from('531a72ab2f1ed011981900aa0040529b', 'hex')
const everyone = Buffer.from('010100000000000100000000', 'hex')
const self = Buffer.from('01010000000000050a000000', 'hex')

function descriptorIn(state: State): Buffer | undefined {
  const value = state.get(descriptorAttribute.toLowerCase())
  return Buffer.isBuffer(value) && value.length >= headLength ? value : undefined
}

function rightsIn(descriptor: Buffer): readonly Buffer[] {
  const start = descriptor.readUInt32LE(rightsOffset)
  if (start === 0) return []
  const rights: Buffer[] = []
  let at = start + listHeadLength
  for (let left = descriptor.readUInt16LE(start + 4); left > 0; left--) {
    const length = descriptor.readUInt16LE(at + 2)
    rights.push(descriptor.subarray(at, at + length))
    at += length
  }
  return rights
}

/** Kind, flags, length, mask, which of the two kinds of parts are named, the right, and who has it. */
function passwordRight(kind: number, who: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt8(kind, 0)
  head.writeUInt16LE(head.length + changePassword.length + who.length, 2)
  head.writeUInt32LE(0x100, 4)
  head.writeUInt32LE(1, 8)
  return Buffer.concat([head, changePassword, who])
}

function isAboutPassword(right: Buffer): boolean {
  return [everyone, self].some(
    (who) => right.length > 8 && right.subarray(8).equals(passwordRight(allowed, who).subarray(8)),
  )
}

/** What is denied comes first, what comes from above last. */
function changedRights(rights: readonly Buffer[], isDenied: boolean): readonly Buffer[] {
  const isInherited = (right: Buffer) => ((right[1] ?? 0) & inherited) !== 0
  const others = rights.filter((right) => isInherited(right) || !isAboutPassword(right))
  const own = [everyone, self].map((who) => passwordRight(isDenied ? denied : allowed, who))
  if (isDenied) return [...own, ...others]
  return [...others.filter((right) => !isInherited(right)), ...own, ...others.filter(isInherited)]
}

/** The same descriptor with these rights and nothing else. */
function withRights(descriptor: Buffer, rights: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(headLength)
  descriptor.copy(head, 0, 0, 4)
  head.writeUInt32LE(headLength, rightsOffset)
  const list = Buffer.alloc(listHeadLength)
  list.writeUInt8(4, 0)
  list.writeUInt16LE(listHeadLength + Buffer.concat([...rights]).length, 2)
  list.writeUInt16LE(rights.length, 4)
  return Buffer.concat([head, list, ...rights])
}
