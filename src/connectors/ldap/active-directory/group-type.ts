import { bitFilter, refused, type State, type VirtualAttribute } from '../virtual.ts'

/** What kind a group is, as bits of groupType ([MS-ADTS] 2.2.12), a whole number of 32 bits with a sign. */
const groupType = 'groupType'
const scopes = { global: 0x2, domain: 0x4, universal: 0x8 } as const
const allScopes = scopes.global | scopes.domain | scopes.universal
const security = 0x80000000

/** What groups are where nobody says it. */
const usual = security | scopes.global

const scope: VirtualAttribute = {
  name: '__GROUP_SCOPE__',
  type: 'string',
  from: [groupType],
  returnedByDefault: true,
  sharesItsAttribute: true,
  read(state) {
    const bits = bitsIn(state)
    return bits === undefined ? undefined : nameOf(bits)
  },
  write(value, state) {
    const bit = scopeBit(value)
    if (bit === undefined) throw refused('__GROUP_SCOPE__', `is none of ${Object.keys(scopes).join(', ')}`)
    return written(((bitsIn(state) ?? usual) & ~allScopes) | bit)
  },
  filter(value) {
    const bit = scopeBit(value)
    return bit === undefined ? undefined : bitFilter(groupType, bit, true)
  },
}

const kind: VirtualAttribute = {
  name: '__GROUP_TYPE__',
  type: 'string',
  from: [groupType],
  returnedByDefault: true,
  sharesItsAttribute: true,
  read(state) {
    const bits = bitsIn(state)
    return bits === undefined ? undefined : (bits & security) !== 0 ? 'security' : 'distribution'
  },
  write(value, state) {
    if (value !== 'security' && value !== 'distribution')
      throw refused('__GROUP_TYPE__', 'is none of security, distribution')
    const others = (bitsIn(state) ?? usual) & ~security
    return written(value === 'security' ? others | security : others)
  },
  filter: (value) =>
    value === 'security' || value === 'distribution'
      ? bitFilter(groupType, security, value === 'security')
      : undefined,
}

export const groupAttributes: readonly VirtualAttribute[] = [scope, kind]

function bitsIn(state: State): number | undefined {
  const value = state.get(groupType.toLowerCase())
  return value === undefined ? undefined : Number(value.toString())
}

function nameOf(bits: number): string | undefined {
  return Object.entries(scopes).find(([, bit]) => (bits & bit) !== 0)?.[0]
}

function scopeBit(value: unknown): number | undefined {
  return Object.entries(scopes).find(([name]) => name === value)?.[1]
}

/** `| 0` gives the number its sign. */
function written(bits: number): { readonly groupType: string } {
  return { groupType: String(bits | 0) }
}
