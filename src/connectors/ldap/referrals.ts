import { completeListing, type Listing } from '../../model/listing.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Facts } from './directory.ts'
import { contains, type Dn, parseDn } from './dn.ts'
import type { LdapSettings } from './settings.ts'

/**
 * What it means for a listing that the server refers to others for parts of the tree (RFC 4511, section 4.5.3). A reference is never
 * followed: the credentials are not those of another server.
 */
export function referred(
  references: readonly string[],
  facts: Pick<Facts, 'server' | 'root' | 'profile'>,
  handling: LdapSettings['referrals'],
): Listing {
  const [elsewhere] = references.filter((reference) => !namesOwnPartition(reference, facts))
  if (elsewhere === undefined || handling === 'ignore') return completeListing
  const fact = `${facts.server} refers to another server for a part of it (${elsewhere})`
  if (handling === 'throw') throw new ConnectorError('unsupported', `${fact}; referrals are not followed`)
  return {
    state: 'partial',
    reason: `${fact}, and referrals are not followed; referralsHandling "ignore" says that this part does not belong to the system`,
  }
}

/**
 * Active Directory names its configuration and the zones of its DNS below the root of a domain, and refers to them in every search from
 * there. They are partitions of their own, which hold no part of the domain. A domain below this one does.
 */
function namesOwnPartition(reference: string, { root, profile }: Pick<Facts, 'root' | 'profile'>): boolean {
  if (!profile.refersToOwnPartitions) return false
  const name = nameIn(reference)
  if (name === undefined) return false
  const listed = (attribute: string): readonly Dn[] =>
    (root.get(attribute) ?? []).map((text) => parseDn(text) ?? [])
  const domains = listed('defaultnamingcontext')
  const partitions = listed('namingcontexts').filter(
    (one) => !domains.some((domain) => contains(one, domain)),
  )
  const isZone = ['domaindnszones', 'forestdnszones'].includes(name[0]?.[0]?.value.toLowerCase() ?? '')
  return isZone || partitions.some((partition) => contains(partition, name))
}

/** The name of an entry in an LDAP URL (RFC 4516). */
function nameIn(reference: string): Dn | undefined {
  const [, path] = /^ldaps?:\/\/[^/]*\/([^?]*)/i.exec(reference) ?? []
  try {
    const dn = parseDn(decodeURIComponent(path ?? ''))
    return dn && dn.length > 0 ? dn : undefined
  } catch {
    return undefined
  }
}
