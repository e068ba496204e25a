import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { asObject, type Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import type { Link, Links } from '../../repository/links.ts'
import type { Store } from '../../repository/repository.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { recordAction } from '../issues/record-action.ts'
import { pendingDeletions } from '../page/grace.ts'

/**
 * `repo/link`: the links table as objects (platform §2, engine §5.1). The command `delete-mapping-links` drops all links of a
 * mapping; `linkTypeOf` is undefined for a mapping that does not exist.
 */
export function repoLinkProvider(
  store: Store,
  linkTypeOf: (mapping: string) => string | undefined,
): ResourceProvider {
  const { links } = store
  /** Who changed the table by hand: the engine does not come this way. */
  function recordWrite(
    operation: string,
    { _id, linkType, firstId, secondId }: Link,
    context: RequestContext,
  ) {
    const message = `${operation.toLowerCase()}: ${linkType}: ${firstId} – ${secondId}`
    return recordAction(store, { objectId: `repo/link/${_id}`, message }, context)
  }
  return {
    read: async (path) => {
      const [link] = await withDue(store, [await storedLink(links, linkId(path))])
      return link as Resource
    },
    async query(path, query) {
      requireSet(path)
      const page = await links.query(storeQuery(query))
      return storePage({ ...page, result: await withDue(store, page.result) }, (link) => link)
    },
    async create(path, id, content, context) {
      requireSet(path)
      const [link] = await links.insert([{ _id: id ?? timeOrderedId(), ...linkContent(content) }])
      await recordWrite('CREATE', link as Link, context)
      return asResource(link as Link)
    },
    async update(path, rev, content, context) {
      const stored = await storedLink(links, linkId(path))
      const wanted = linkContent(content)
      requireSameSet(stored, wanted)
      const [link] = await links.update([{ ...stored, ...wanted, _rev: rev ?? stored._rev }])
      await recordWrite('UPDATE', link as Link, context)
      return asResource(link as Link)
    },
    async delete(path, rev, context) {
      const stored = await storedLink(links, linkId(path))
      await links.delete([{ _id: stored._id, _rev: rev }])
      await recordWrite('DELETE', stored, context)
      return asResource(stored)
    },
    async action(path, action, context) {
      requireSet(path)
      const linkType = commandedLinkType(action, linkTypeOf)
      await recordAction(
        store,
        { objectId: 'repo/link', message: `delete all links of ${linkType}` },
        context,
      )
      return links.deleteType(linkType)
    },
  }
}

/** With `deleteAfter` where the target waits to be deleted; one statement a page. */
async function withDue({ objects }: Store, page: readonly Link[]): Promise<readonly Resource[]> {
  const pending = await objects.read(
    pendingDeletions,
    page.map(({ _id }) => _id),
  )
  return page.map((link) => {
    const due = pending.get(link._id)?.due
    return due === undefined ? asResource(link) : { ...asResource(link), deleteAfter: due }
  })
}

function commandedLinkType(
  { name, parameters }: ResourceAction,
  linkTypeOf: (mapping: string) => string | undefined,
): string {
  const { commandId, mapping } = parameters
  if (name !== 'command')
    throw new Problem('BAD_REQUEST', `repo/link has no action "${name}", only "command"`)
  const only = `repo/link has no command "${commandId ?? ''}", only "delete-mapping-links"`
  if (commandId !== 'delete-mapping-links') throw new Problem('BAD_REQUEST', only)
  if (!mapping)
    throw new Problem('BAD_REQUEST', 'The command "delete-mapping-links" needs the parameter "mapping"')
  const linkType = linkTypeOf(mapping)
  if (linkType === undefined) throw new Problem('NOT_FOUND', `No such mapping: ${mapping}`)
  return linkType
}

async function storedLink(links: Links, id: string): Promise<Link> {
  const link = await links.read(id)
  if (!link) throw new Problem('NOT_FOUND', `There is no link ${id}`)
  return link
}

function linkId(path: string): string {
  const [id, ...others] = splitPath(path)
  if (id === undefined)
    throw new Problem('BAD_REQUEST', 'repo/link is a set: query it with _queryFilter, or name a link')
  if (others.length > 0) throw new Problem('NOT_FOUND', `There is no resource repo/link/${path}`)
  return id
}

function requireSet(path: string): void {
  if (path !== '') throw new Problem('NOT_IMPLEMENTED', `repo/link/${path} is a link, not a set`)
}

function linkContent(content: Json): Omit<Link, '_id' | '_rev'> {
  const object = asObject(content)
  const text = (name: string, value = object[name]): string => {
    if (typeof value === 'string' && value !== '') return value
    throw new Problem('BAD_REQUEST', `A link needs "${name}" as text`)
  }
  const linkType = text('linkType')
  const linkQualifier = text('linkQualifier', object.linkQualifier ?? 'default')
  return { linkType, linkQualifier, firstId: text('firstId'), secondId: text('secondId') }
}

/** Type and qualifier say whose link it is; another mapping's link is another link. */
function requireSameSet(stored: Link, wanted: Omit<Link, '_id' | '_rev'>): void {
  if (stored.linkType === wanted.linkType && stored.linkQualifier === wanted.linkQualifier) return
  const fact = 'linkType and linkQualifier cannot change; create another link'
  throw new Problem('BAD_REQUEST', `Link ${stored._id}: ${fact}`)
}

function asResource({ _id, _rev, linkType, linkQualifier, firstId, secondId }: Link): Resource {
  return { _id, _rev, linkType, linkQualifier, firstId, secondId }
}
