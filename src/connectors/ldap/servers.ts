import { Resolver } from 'node:dns/promises'
import { ConnectorError } from '../kit/errors.ts'
import { invalid } from './given.ts'

/** Where a directory is reached. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly secure: boolean
  /** A socket of this machine (`ldapi`) in place of host and port. */
  readonly path?: string
}

/** What messages call a server. */
export function nameOf({ host, port, path }: Server): string {
  return path ?? `${host}:${port}`
}

/** Of `ldap://host:port`, `ldaps://host:port`, `ldapi://%2Frun%2Fslapd%2Fldapi`. */
export function serverOf(url: string): Server {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const host = parsed?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
  const secure = parsed?.protocol === 'ldaps:'
  if (parsed?.protocol === 'ldapi:' && host !== '')
    return { host: 'localhost', port: 0, secure: false, path: decodeURIComponent(host) }
  if (!parsed || host === '' || !(secure || parsed.protocol === 'ldap:'))
    throw invalid(
      'failover',
      `holds ${JSON.stringify(url)}; a server is ldap://host:port or ldaps://host:port`,
    )
  return { host, port: Number(parsed.port) || (secure ? 636 : 389), secure }
}

export interface Located {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** The servers of a domain as its DNS names them (RFC 2782), in the order in which they are tried. */
export async function serversOfDomain(
  domain: string,
  secure: boolean,
  resolver: Pick<Resolver, 'resolveSrv'>,
): Promise<readonly Server[]> {
  const name = `${secure ? '_ldaps' : '_ldap'}._tcp.${domain}`
  let records: readonly Located[]
  try {
    records = await resolver.resolveSrv(name)
  } catch (cause) {
    throw new ConnectorError('connection', `The DNS names no servers under ${name}: ${cause}`, {
      cause,
      hint: 'Add SRV records of this name to the DNS, or set useDNSSRVRecord to false and name a server in host.',
    })
  }
  return inOrder(records, Math.random).map(({ name: host, port }) => ({ host, port, secure }))
}

export function systemResolver(timeout: number): Pick<Resolver, 'resolveSrv'> {
  return new Resolver({ timeout, tries: 2 })
}

/** Lower priorities first; among equal ones by lot, heavier ones more often. */
export function inOrder(records: readonly Located[], random: () => number): readonly Located[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight)
  const ordered: Located[] = []
  for (let [first] = left; first; [first] = left) {
    const { priority } = first
    const equal = left.filter((one) => one.priority === priority)
    const sums = equal.map((_, last) => equal.slice(0, last + 1).reduce((sum, { weight }) => sum + weight, 0))
    const lot = random() * (sums.at(-1) ?? 0)
    const at = sums.findIndex((sum) => sum >= lot)
    ordered.push(...left.splice(Math.max(at, 0), 1))
  }
  return ordered
}
