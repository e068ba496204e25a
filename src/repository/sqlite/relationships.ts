import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { StoredObject } from '../objects.ts'
import type { Relationship, RelationshipScope, Relationships, SeenRelationship } from '../relationships.ts'
import { tableOf } from './collections.ts'
import { text } from './column.ts'
import type { Connection, Row } from './connection.ts'
import { documentOf, documentText, storedObjectOf } from './document.ts'
import { type Fragment, fragment, literal } from './fragment.ts'
import { documents, type Queryable, queried } from './query.ts'
import type { Session } from './session.ts'

/** Relationships, one row each, looked up from either end. */
export function sqliteRelationships(session: Session, nextRevision: () => string): Relationships {
  return {
    of: (collection, ids, restriction = {}) =>
      session.read((connection) => of(connection, collection, ids, restriction)),
    reaching: (from, to) =>
      session.rows(
        ({ id }) => text(id),
        reachingSql,
        ...[JSON.stringify(to.ids), to.collection, from.collection, from.property],
      ),
    insert: (relationships) =>
      session.write((connection) => {
        for (const one of relationships) insert(connection, one, nextRevision())
      }),
    async update(relationships) {
      await session.runEach(
        'UPDATE relationships SET rev = ?, properties = ? WHERE id = ?',
        relationships.map(({ _id, properties }) => [nextRevision(), documentText(properties), _id]),
      )
    },
    async delete(ids) {
      const sql = 'DELETE FROM relationships WHERE id IN (SELECT value FROM json_each(?))'
      await session.run(sql, JSON.stringify(ids))
    },
    query: (scope, query) =>
      session.read((connection) => {
        const page = queried(connection, references(connection, scope), query)
        return { ...page, result: page.result.map(referenceIn) }
      }),
    owners: (scope, filter) => session.read((connection) => owners(connection, scope, filter)),
  }
}

const seenColumns = (own: string, other: string) =>
  `r.seq, r.id, r.rev, r.properties,
   r.${own}_collection AS own_collection, r.${own}_id AS own_id, r.${own}_property AS own_property,
   r.${other}_collection AS other_collection, r.${other}_id AS other_id, r.${other}_property AS other_property`

const sides = [
  ['first', 'second'],
  ['second', 'first'],
] as const

function of(
  connection: Connection,
  collection: string,
  ids: readonly string[],
  { properties, to }: NonNullable<Parameters<Relationships['of']>[2]>,
): ReadonlyMap<string, readonly SeenRelationship[]> {
  // Parameters by number: both halves of the union use the same ones.
  const parameters = [JSON.stringify(ids), collection]
  const parameter = (value: string) => `?${parameters.push(value)}`
  // Listed one by one, so that the index finds each; there are never many, nor many lists.
  const shown = properties?.map(parameter).join(', ')
  const others = to && [parameter(to.collection), parameter(JSON.stringify(to.ids))]
  const half = ([own, other]: (typeof sides)[number]) => `
    SELECT ${seenColumns(own, other)}
    FROM json_each(?1) AS wanted
    CROSS JOIN relationships AS r ON r.${own}_id = wanted.value AND r.${own}_collection = ?2
    ${shown === undefined ? '' : `AND r.${own}_property IN (${shown})`}
    ${others ? `AND r.${other}_collection = ${others[0]} AND r.${other}_id IN (SELECT value FROM json_each(${others[1]}))` : ''}`
  const sql = `${sides.map(half).join(' UNION ALL ')} ORDER BY seq`
  const rows = connection.rows(sql, ...parameters)
  return Map.groupBy(rows.map(seen), ({ own }) => own.id)
}

function seen(row: Row): SeenRelationship {
  const end = (side: 'own' | 'other') => ({
    collection: text(row[`${side}_collection`]),
    id: text(row[`${side}_id`]),
    property: text(row[`${side}_property`]),
  })
  return {
    _id: text(row.id),
    _rev: text(row.rev),
    own: end('own'),
    other: end('other'),
    properties: documentOf(row.properties),
  }
}

const reachingSql = sides
  .map(
    ([own, other]) => `
    SELECT r.${own}_id AS id FROM json_each(?1) AS wanted
    CROSS JOIN relationships AS r ON r.${other}_id = wanted.value AND r.${other}_collection = ?2
    WHERE r.${own}_collection = ?3 AND r.${own}_property = ?4`,
  )
  .join(' UNION ')
  .concat(' ORDER BY id')

function insert(connection: Connection, { _id, first, second, properties }: Relationship, rev: string): void {
  const changes = connection.run(
    `INSERT INTO relationships (id, rev, first_collection, first_id, first_property,
      second_collection, second_id, second_property, properties)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    ...[_id, rev, first.collection, first.id, first.property],
    ...[second.collection, second.id, second.property, documentText(properties)],
  )
  if (!changes) throw new Problem('PRECONDITION_FAILED', `A relationship ${_id} exists already`)
}

/** The references of a scope, as rows of JSON documents laid over the objects that they refer to. */
function references(connection: Connection, scope: RelationshipScope): Queryable<StoredObject> {
  return {
    ...documents(fromText(connection, scope), scopeOf(scope), { ties: ['seq'] }),
    objectOf: ({ content }) => storedObjectOf(content),
  }
}

function referenceIn(row: StoredObject): StoredObject {
  const { _id, _rev, _ref, _refResourceCollection, _refResourceId, _refProperties } = row
  return { _id, _rev, _ref, _refResourceCollection, _refResourceId, _refProperties }
}

function scopeOf({ collection, property, id }: RelationshipScope): Fragment {
  const own = fragment('own_collection = ? AND own_property = ?', collection, property)
  if (id === undefined) return own
  return fragment(`own_id = ? AND ${own.sql}`, id, ...own.parameters)
}

function fromText(connection: Connection, { others }: RelationshipScope): string {
  const reference = `json_object('_id', s.id, '_rev', s.rev,
    '_ref', syncline_reference(s.other_collection, s.other_id),
    '_refResourceCollection', s.other_collection, '_refResourceId', s.other_id,
    '_refProperties', json(json_patch(s.properties, json_object('_id', s.id, '_rev', s.rev))))`
  const joined = others.flatMap((collection, at) => {
    const table = tableOf(connection, collection)
    const on = `o${at}.id = s.other_id AND s.other_collection = ${literal(collection)}`
    return table ? [{ content: `o${at}.content`, join: `LEFT JOIN ${table} AS o${at} ON ${on}` }] : []
  })
  const content = ['NULL', ...joined.map((one) => one.content), "'{}'"].join(', ')
  const halves = sides.map(([own, other]) => `SELECT ${seenColumns(own, other)} FROM relationships AS r`)
  return `(SELECT s.seq, s.id, s.own_collection, s.own_id, s.own_property, json_patch(coalesce(${content}), ${reference}) AS content
    FROM (${halves.join(' UNION ALL ')}) AS s ${joined.map(({ join }) => join).join(' ')})`
}

function owners(connection: Connection, scope: RelationshipScope, filter: Filter): readonly string[] {
  const owned: Queryable<JsonObject> = {
    ...references(connection, scope),
    select: 'seq, own_id',
    objectOf: ({ own_id }) => ({ id: text(own_id) }),
  }
  const { result } = queried(connection, owned, { filter })
  return [...new Set(result.map(({ id }) => text(id)))]
}
