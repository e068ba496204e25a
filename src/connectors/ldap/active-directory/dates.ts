import { refused, type VirtualAttribute } from '../virtual.ts'

/**
 * Points in time of Active Directory: hundreds of nanoseconds since 1601, in 64 bits, of which a `number` would lose some. Outside
 * they are ISO 8601, with as many digits of a second as are there.
 */
const ticksPerSecond = 10_000_000n
/** Seconds from 1601 to 1970. */
const epoch = 11_644_473_600n
/** Both mean "never". */
const never: ReadonlySet<string> = new Set(['0', '9223372036854775807'])

/** Undefined for "never", and for what is no such number. */
export function isoDate(ticks: string | undefined): string | undefined {
  if (ticks === undefined || never.has(ticks) || !/^\d{1,19}$/.test(ticks)) return undefined
  const all = BigInt(ticks)
  const fraction = (all % ticksPerSecond)
    .toString()
    .padStart(7, '0')
    .replace(/0{1,4}$/, '')
  const date = new Date(Number(all / ticksPerSecond - epoch) * 1000)
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, -5)}.${fraction}Z`
}

/** Undefined for what is no date. */
export function ticksOf(date: string): string | undefined {
  const parts =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,7})\d*)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(date)
  if (!parts) return undefined
  const [, day = '', time = '00:00', fraction = '', zone = 'Z'] = parts
  const seconds = new Date(`${day}T${time}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2')}`).getTime() / 1000
  if (!Number.isInteger(seconds)) return undefined
  const ticks = (BigInt(seconds) + epoch) * ticksPerSecond + BigInt(fraction.padEnd(7, '0'))
  return ticks > 0n ? ticks.toString() : undefined
}

function textIn(value: string | Buffer | undefined): string | undefined {
  return value?.toString()
}

function date(name: string, attribute: string, returnedByDefault = true): VirtualAttribute {
  return {
    name,
    type: 'date',
    from: [attribute],
    returnedByDefault,
    sharesItsAttribute: false,
    read: (state) => isoDate(textIn(state.get(attribute.toLowerCase()))),
  }
}

const accountExpires: VirtualAttribute = {
  ...date('__ACCOUNT_EXPIRES__', 'accountExpires'),
  write(value) {
    if (value === null || value === '') return { accountExpires: '9223372036854775807' }
    const ticks = typeof value === 'string' ? ticksOf(value) : undefined
    if (ticks !== undefined) return { accountExpires: ticks }
    throw refused('__ACCOUNT_EXPIRES__', `is ${JSON.stringify(value)}, no date as 2026-12-31T00:00:00Z`)
  },
}

export const dateAttributes: readonly VirtualAttribute[] = [
  accountExpires,
  date('__LAST_LOGIN_DATE__', 'lastLogonTimestamp'),
  date('__LAST_PASSWORD_CHANGE_DATE__', 'pwdLastSet'),
  date('__PASSWORD_EXPIRATION_DATE__', 'msDS-UserPasswordExpiryTimeComputed', false),
]
