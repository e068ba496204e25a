import { type Entry, GreaterThanEqualsFilter } from 'ldapts'
import { isJsonObject } from '../../../model/json.ts'
import { ConnectorError } from '../../kit/errors.ts'
import { valuesIn } from '../entries.ts'
import { and, equals } from '../filter.ts'
import {
  type Controller,
  controllerOf,
  idIn,
  requireNotPutBack,
  searchTree,
  showDeleted,
} from './controllers.ts'
import { requireInstance, type Session, type Strategy, tokenOf, Written } from './strategy.ts'

/**
 * Changes of Active Directory and Samba by update sequence numbers: `uSNChanged` grows with each write at a controller, `uSNCreated` is the number of
 * the first one. Deleted entries are found among the deleted objects, if the account may see these; if not, all that is left is listed.
 *
 * A change of a group does not change its members: their `memberOf` is computed.
 */
export const usn: Strategy = {
  async latest(session) {
    return tokenAt(await controllerOf(session))
  },
  async since(session, token) {
    const controller = await controllerOf(session)
    requireInstance(token, 'usn', controller.invocation, `The controller ${session.facts.server}`)
    const { usn: before } = isJsonObject(token.position) ? token.position : {}
    if (typeof before !== 'string')
      throw new ConnectorError('staleToken', 'The token is none of update sequence numbers')
    requireNotPutBack(session, controller, before)
    const written = new Written()
    const renamed = new Set<string>()
    let hasUnknownDeletions = false
    for (const tree of controller.trees) {
      for (const entry of await changedSince(session, tree, BigInt(before))) {
        const id = idIn(entry, session)
        if (id === undefined) continue
        written.add(id, numberIn(entry, 'uSNCreated') > BigInt(before))
        if (isContainer(entry)) renamed.add(id)
      }
      const gone = await deletedSince(session, tree, BigInt(before))
      if (gone) for (const id of gone) written.add(id, false)
      else hasUnknownDeletions = true
    }
    return { ids: written.ids, renamed, hasUnknownDeletions, token: tokenAt(controller) }
  },
}

const attributes = ['uSNChanged', 'uSNCreated', 'objectClass', 'isDeleted']

async function changedSince(session: Session, tree: string, before: bigint): Promise<readonly Entry[]> {
  const asked = [...attributes, session.facts.uidAttribute]
  const entries = await searchTree(session, tree, { filter: later(before), attributes: asked, controls: [] })
  return entries.toSorted((a, b) => (numberIn(a, 'uSNChanged') < numberIn(b, 'uSNChanged') ? -1 : 1))
}

/** Ids; undefined: the account does not see deleted objects, or not by their ids. */
async function deletedSince(
  session: Session,
  tree: string,
  before: bigint,
): Promise<readonly string[] | undefined> {
  const controls = () => [showDeleted()]
  const own = and([
    equals('isDeleted', 'TRUE'),
    equals('objectClass', 'container'),
    equals('cn', 'Deleted Objects'),
  ])
  const container = await searchTree(session, tree, {
    filter: own,
    attributes: ['1.1'],
    controls: controls(),
  })
  if (container.length === 0) return undefined
  const filter = and([equals('isDeleted', 'TRUE'), later(before)])
  const asked = [...attributes, session.facts.uidAttribute]
  const entries = await searchTree(session, tree, { filter, attributes: asked, controls: controls() })
  const ids = entries.map((entry) => idIn(entry, session))
  return ids.every((id) => id !== undefined) ? ids : undefined
}

function later(before: bigint): GreaterThanEqualsFilter {
  return new GreaterThanEqualsFilter({ attribute: 'uSNChanged', value: String(before + 1n) })
}

function tokenAt({ invocation, highest }: Controller) {
  return tokenOf('usn', invocation, { usn: String(highest) })
}

/** It may have another name now; the number does not say what was written. */
function isContainer(entry: Entry): boolean {
  return valuesIn(entry.objectClass).some((name) =>
    ['organizationalUnit', 'container'].includes(String(name)),
  )
}

function numberIn(entry: Entry, name: string): bigint {
  return BigInt(String(valuesIn(entry[name])[0] ?? 0))
}
