import { Control, type Entry, type Filter } from 'ldapts'
import { ConnectorError } from '../../kit/errors.ts'
import { idOf, valuesIn } from '../entries.ts'
import { treesOf } from './scope.ts'
import type { Session } from './strategy.ts'

/** What the ways of Active Directory share: which controller answers, and how its domain is searched. */
export interface Controller {
  /** Its update sequence numbers are counted by this instance of its database; another controller, or a restored one, has another. */
  readonly invocation: string
  /** All writes up to this number are visible. */
  readonly highest: bigint
  /** The roots of the naming contexts of the base contexts: what changes is asked for there, whatever lies below the base contexts. */
  readonly trees: readonly string[]
}

export async function controllerOf({ connection, facts, settings, signal }: Session): Promise<Controller> {
  const root = await connection.entry('', { attributes: ['dsServiceName', 'highestCommittedUSN'] }, signal)
  const [service, highest] = ['dsServiceName', 'highestCommittedUSN'].map((name) =>
    String(valuesIn(root?.[name])[0] ?? ''),
  )
  if (!service || !highest || !/^\d+$/.test(highest))
    throw new ConnectorError('unsupported', `${facts.server} counts no changes: it is no domain controller`)
  const binary = ['invocationId']
  const entry = await connection.entry(service, { attributes: binary, binary }, signal)
  const [invocation] = valuesIn(entry?.invocationId)
  return {
    invocation: invocation === undefined ? service : Buffer.from(invocation).toString('hex'),
    highest: BigInt(highest),
    trees: treesOf(facts, settings).map(({ text }) => text),
  }
}

/** Numbers only grow, but for a controller that was put back to what it was. */
export function requireNotPutBack({ facts }: Session, { highest }: Controller, usn: string): void {
  if (/^\d+$/.test(usn) && BigInt(usn) <= highest) return
  const fact = `has counted its changes up to ${highest}, and they were read up to ${usn}: it was put back`
  throw new ConnectorError('staleToken', `${facts.server} ${fact}`)
}

/** Everything of a naming context that a filter finds, deleted entries too if the controls say so. */
export async function searchTree(
  { connection, facts, kind, settings, signal }: Session,
  tree: string,
  {
    filter,
    attributes,
    controls,
  }: { readonly filter: Filter; readonly attributes: readonly string[]; readonly controls: Control[] },
): Promise<readonly Entry[]> {
  const options = {
    scope: 'sub' as const,
    filter,
    attributes: [...attributes],
    explicitBufferAttributes: [...kind.attributes.binary, facts.uidAttribute],
    paged: { pageSize: settings.pageSize },
  }
  return (await connection.run((client) => client.search(tree, options, controls), signal)).searchEntries
}

/** Shows deleted entries (MS-ADTS 3.1.1.3.4.1.14). */
export const showDeleted = () => new Control('1.2.840.113556.1.4.417', { critical: true })

export function idIn(entry: Entry, { facts }: Session): string | undefined {
  return idOf(entry, facts.uidAttribute)
}

export function isDeleted(entry: Entry): boolean {
  return valuesIn(entry.isDeleted)[0] === 'TRUE'
}
