import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Link, LinkSet, LinkSide, Links } from '../links.ts'
import { number, optionalNumber, text } from './column.ts'
import type { Connection, Row } from './connection.ts'
import { violatesConstraint } from './failure.ts'
import { absent, column } from './field.ts'
import { fragment } from './fragment.ts'
import { pagesByKey, type Queryable } from './query.ts'
import type { Session } from './session.ts'

/**
 * Links (engine §5.1). A link set, i.e. type and qualifier, is a number in the table of links: its
 * indexes hold an integer and an id, not three texts.
 */
export function sqliteLinks(session: Session, nextRevision: () => string): Links {
  return {
    find: (set, side, ids) => session.read((connection) => find(connection, set, side, ids)),
    all: (set, pageSize = 500) =>
      pagesByKey(
        pageSize,
        ({ firstId }) => firstId,
        (last) => session.read((connection) => linksAfter(connection, set, last, pageSize)),
      ),
    async qualifiersOf(linkType, side, ids) {
      const sql = `SELECT wanted.value AS id, s.qualifier
        FROM link_sets AS s CROSS JOIN json_each(?) AS wanted CROSS JOIN links AS l
          ON l.set_id = s.id AND l.${columnOf[side]} = wanted.value
        WHERE s.link_type = ? ORDER BY s.qualifier`
      const pairOf = ({ id, qualifier }: Row) => ({ id: text(id), qualifier: text(qualifier) })
      const pairs = await session.rows(pairOf, sql, JSON.stringify([...new Set(ids)]), linkType)
      const byId = Map.groupBy(pairs, ({ id }) => id)
      return new Map([...byId].map(([id, own]) => [id, own.map(({ qualifier }) => qualifier)]))
    },
    async count(linkType, linkQualifier) {
      const sql = `SELECT count(*) AS n FROM ${linksAndSets} WHERE link_type = ? AND (?2 IS NULL OR qualifier = ?2)`
      return (await session.row(({ n }) => number(n), sql, linkType, linkQualifier ?? null)) ?? 0
    },
    insert: (links) => session.write((connection) => insert(connection, links, nextRevision)),
    update: (links) => session.write((connection) => update(connection, links, nextRevision)),
    delete: (links) =>
      session.write((connection) => {
        for (const link of links) remove(connection, link._id, link._rev)
      }),
    deleteType: (linkType) =>
      session.run(
        'DELETE FROM links WHERE set_id IN (SELECT id FROM link_sets WHERE link_type = ?)',
        linkType,
      ),
    read: (id) =>
      session.row(
        linkOf,
        `SELECT s.link_type AS linkType, s.qualifier AS linkQualifier, ${ends} FROM ${linksAndSets} WHERE l.id = ?`,
        id,
      ),
    query: (query) => session.page(everyLink, query),
  }
}

const linksAndSets = 'links AS l JOIN link_sets AS s ON s.id = l.set_id'
const members =
  'l.id AS _id, l.rev AS _rev, s.link_type AS linkType, s.qualifier AS linkQualifier,' +
  ' l.first_id AS firstId, l.second_id AS secondId'
const ends =
  'l.id AS _id, l.rev AS _rev, l.first_id AS firstId, l.second_id AS secondId,' +
  ' l.first_spelling AS firstSpelling, l.second_spelling AS secondSpelling'

const names = new Set(['_id', '_rev', 'linkType', 'linkQualifier', 'firstId', 'secondId'])

const columnOf = { firstId: 'first_id', secondId: 'second_id' } as const satisfies Record<LinkSide, string>

function find(
  connection: Connection,
  set: LinkSet,
  side: LinkSide,
  ids: readonly string[],
): ReadonlyMap<string, Link> {
  const setId = linkSet(connection, set)
  if (setId === undefined) return new Map()
  const sql = `SELECT ${ends} FROM json_each(?) AS wanted CROSS JOIN links AS l
    ON l.set_id = ? AND l.${columnOf[side]} = wanted.value`
  const rows = connection.rows(sql, JSON.stringify(ids), setId)
  return new Map(rows.map((row) => [text(row[side]), linkIn(set, row)]))
}

function linksAfter(connection: Connection, set: LinkSet, last: string, pageSize: number): readonly Link[] {
  const setId = linkSet(connection, set)
  if (setId === undefined) return []
  const sql = `SELECT ${ends} FROM links AS l WHERE l.set_id = ? AND l.first_id > ? ORDER BY l.first_id LIMIT ?`
  return connection.rows(sql, setId, last, pageSize).map((row) => linkIn(set, row))
}

function insert(
  connection: Connection,
  links: readonly Omit<Link, '_rev'>[],
  nextRevision: () => string,
): readonly Link[] {
  const sql = `INSERT INTO links (id, rev, set_id, first_id, second_id, first_spelling, second_spelling)
    VALUES (?, ?, ?, ?, ?, ?, ?)`
  return links.map((draft) => {
    const link: Link = { ...draft, _rev: nextRevision() }
    const { firstId, secondId, firstSpelling = null, secondSpelling = null } = link
    const setId = ensureLinkSet(connection, link)
    refusingTaken(connection, link, () =>
      connection.run(sql, link._id, link._rev, setId, firstId, secondId, firstSpelling, secondSpelling),
    )
    return link
  })
}

function update(connection: Connection, links: readonly Link[], nextRevision: () => string): readonly Link[] {
  const sql = `UPDATE links SET rev = ?, first_id = ?, second_id = ?, first_spelling = ?, second_spelling = ?
    WHERE id = ? AND rev = ?`
  park(connection, links)
  return links.map((link) => {
    const changed: Link = { ...link, _rev: nextRevision() }
    const { firstId, secondId, firstSpelling = null, secondSpelling = null } = link
    const changes = refusingTaken(connection, link, () =>
      connection.run(
        sql,
        changed._rev,
        firstId,
        secondId,
        firstSpelling,
        secondSpelling,
        link._id,
        link._rev,
      ),
    )
    if (!changes) throw changedMeanwhile(link._id, link._rev)
    return changed
  })
}

/** Ids that other links of the page are to have are given up before; each link gets its own directly after. */
function park(connection: Connection, links: readonly Link[]): void {
  if (links.length < 2) return
  const sql = `SELECT ${ends} FROM json_each(?) AS own CROSS JOIN links AS l ON l.id = own.value`
  const stored = connection.rows(sql, JSON.stringify(links.map(({ _id }) => _id)))
  const takers = {
    firstId: new Map(links.map(({ _id, firstId }) => [firstId, _id])),
    secondId: new Map(links.map(({ _id, secondId }) => [secondId, _id])),
  }
  const isTaken = (row: Row, side: LinkSide) => (takers[side].get(text(row[side])) ?? row._id) !== row._id
  for (const row of stored)
    if (isTaken(row, 'firstId') || isTaken(row, 'secondId'))
      connection.run(
        'UPDATE links SET first_id = ?2, second_id = ?2 WHERE id = ?1',
        text(row._id),
        `\0${text(row._id)}`,
      )
}

function remove(connection: Connection, id: string, rev: string | undefined): void {
  if (connection.run('DELETE FROM links WHERE id = ?1 AND (?2 IS NULL OR rev = ?2)', id, rev ?? null)) return
  const exists = connection.row('SELECT 1 FROM links WHERE id = ?', id)
  throw exists ? changedMeanwhile(id, rev) : new Problem('NOT_FOUND', `There is no link ${id}`)
}

function changedMeanwhile(id: string, rev: string | undefined): Problem {
  return new Problem('PRECONDITION_FAILED', `Link ${id} no longer has revision ${rev}`)
}

/** Each id of a set is in at most one link, on either side. */
function refusingTaken<T>(connection: Connection, link: Omit<Link, '_rev'>, write: () => T): T {
  try {
    return write()
  } catch (error) {
    if (!violatesConstraint(error)) throw error
    const message = `${link.linkType} (${link.linkQualifier}): cannot link ${link.firstId} to ${link.secondId}`
    throw new Problem('PRECONDITION_FAILED', `${message}: ${obstacle(connection, link)}`, { cause: error })
  }
}

function obstacle(connection: Connection, { _id, firstId, secondId, ...set }: Omit<Link, '_rev'>): string {
  const sql = `SELECT ${ends} FROM links AS l WHERE l.set_id = ? AND (l.first_id = ? OR l.second_id = ?) AND l.id <> ?`
  const row = connection.row(sql, linkSet(connection, set) ?? null, firstId, secondId, _id)
  return row ? `link ${row._id} joins ${row.firstId} and ${row.secondId}` : `link ${_id} exists already`
}

function linkSet(connection: Connection, { linkType, linkQualifier }: LinkSet): number | undefined {
  const key = JSON.stringify([linkType, linkQualifier])
  const known = connection.linkSets.get(key)
  if (known !== undefined) return known
  const sql = 'SELECT id FROM link_sets WHERE link_type = ? AND qualifier = ?'
  const id = optionalNumber(connection.row(sql, linkType, linkQualifier)?.id)
  if (id !== undefined) connection.linkSets.set(key, id)
  return id
}

function ensureLinkSet(connection: Connection, set: LinkSet): number {
  const existing = linkSet(connection, set)
  if (existing !== undefined) return existing
  const sql = 'INSERT INTO link_sets (link_type, qualifier) VALUES (?, ?)'
  return Number(connection.statement(sql).run(set.linkType, set.linkQualifier).lastInsertRowid)
}

function linkOf(row: Row): Link {
  return linkIn({ linkType: text(row.linkType), linkQualifier: text(row.linkQualifier) }, row)
}

/** One by one: a page of links is read for every page of objects. */
function linkIn({ linkType, linkQualifier }: LinkSet, row: Row): Link {
  const { _id, _rev, firstId, secondId, firstSpelling, secondSpelling } = row
  const link = {
    _id: text(_id),
    _rev: text(_rev),
    linkType,
    linkQualifier,
    firstId: text(firstId),
    secondId: text(secondId),
  }
  if (!firstSpelling && !secondSpelling) return link
  return {
    ...link,
    ...(firstSpelling ? { firstSpelling: text(firstSpelling) } : {}),
    ...(secondSpelling ? { secondSpelling: text(secondSpelling) } : {}),
  }
}

/** Links as they are seen from outside: each member is a column of its name. */
const everyLink: Queryable<Link & JsonObject> = {
  from: `(SELECT ${members} FROM ${linksAndSets})`,
  scope: fragment('1'),
  fieldOf: ([name = '', ...deeper]) => (deeper.length === 0 && names.has(name) ? column(name) : absent),
  json: `json_object(${[...names].map((name) => `'${name}', ${name}`).join(', ')})`,
  select: '*',
  natural: ['_id'],
  ties: ['_id'],
  objectOf: (row) => ({ ...linkOf(row) }),
}
