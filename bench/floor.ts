/**
 * The floor: the least that any program must do for the same result. It reads the same CSV file with a stream parser
 * and writes the same rows (objects, links, audit entries, associations) into the same tables with the same settings, in
 * transactions of a page, and knows nothing of mappings, scripts, situations or errors.
 *
 *     node floor.ts load <project> <store>        first load
 *     node floor.ts unchanged <project> <store>   look up what is there, write the audit entries
 */

import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parse } from 'csv-parse'
import { v7 as timeOrderedId } from 'uuid'
import { pragmas } from '../src/repository/sqlite/connection.ts'
import { openSqlite } from '../src/repository/sqlite/open.ts'
import { mappingName } from './project.ts'

const [job, project, file] = process.argv.slice(2) as ['load' | 'unchanged', string, string]
const pageSize = 500
const runId = timeOrderedId()
type Row = Record<string, string>

// The schema, its indexes included, is Syncline's own; from here on only prepared statements run.
const repository = await openSqlite(file)
await repository.objects.declare('managed/user', ['userName'])
await repository.links.find({ linkType: mappingName, linkQualifier: 'default' }, 'firstId', [''])
if (job === 'load') await repository.links.insert([])
await repository[Symbol.asyncDispose]()

const db = new DatabaseSync(file)
db.exec(pragmas)
const table = `objects_${db.prepare("SELECT id FROM collections WHERE name = 'managed/user'").get()?.id}`
db.prepare('INSERT OR IGNORE INTO link_sets (link_type, qualifier) VALUES (?, ?)').run(mappingName, 'default')
const setId = db.prepare('SELECT id FROM link_sets WHERE link_type = ?').get(mappingName)?.id as number

const insertObject = db.prepare(`INSERT INTO ${table} (id, rev, content) VALUES (?, ?, ?)`)
const insertLink = db.prepare(
  'INSERT INTO links (id, rev, set_id, first_id, second_id) VALUES (?, ?, ?, ?, ?)',
)
const insertAudit = db.prepare(
  'INSERT INTO audit (topic, id, timestamp, recon_id, content) VALUES (?, ?, ?, ?, ?)',
)
const insertRun = db.prepare(
  'INSERT INTO runs (id, mapping, analysis, state, started, content) VALUES (?, ?, 0, ?, ?, ?)',
)
const insertAssociation = db.prepare('INSERT INTO run_entries (run_id, id, content) VALUES (?, ?, ?)')
const findLink = db.prepare('SELECT second_id FROM links WHERE set_id = ? AND first_id = ?')
const findObject = db.prepare(`SELECT content FROM ${table} WHERE id = ?`)

insertRun.run(runId, mappingName, 'ACTIVE', new Date().toISOString(), '{}')
let count = 0
let page: Row[] = []
for await (const row of createReadStream(join(project, 'data/hr.csv')).pipe(parse({ columns: true }))) {
  page.push(row)
  if (page.length === pageSize) write()
}
write()
db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
db.close()
console.log(JSON.stringify({ count }))

function write(): void {
  db.exec('BEGIN IMMEDIATE')
  for (const row of page) {
    if (job === 'load') load(row)
    else lookUp(row)
    count++
  }
  db.exec('COMMIT')
  page = []
}

function load({ uid, givenName, familyName, mail, phone, department, city, employeeType }: Row): void {
  const id = timeOrderedId()
  const object = {
    userName: uid,
    givenName,
    sn: familyName,
    mail,
    telephoneNumber: phone,
    department,
    city,
    title: employeeType,
  }
  insertObject.run(id, '1', JSON.stringify(object))
  insertLink.run(timeOrderedId(), '1', setId, uid as string, id)
  activity(id, Object.keys(object))
  audit('ABSENT', 'CREATE', uid as string, id)
}

function lookUp({ uid }: Row): void {
  const { second_id: id } = findLink.get(setId, uid as string) as { second_id: string }
  JSON.parse((findObject.get(id) as { content: string }).content)
  audit('CONFIRMED', 'UPDATE', uid as string, id)
}

/** That a managed object was written. */
function activity(id: string, fields: readonly string[]): void {
  const timestamp = new Date().toISOString()
  const content = {
    eventName: 'activity',
    timestamp,
    transactionId: runId,
    userId: 'openidm-admin',
    trackingIds: null,
    runAs: 'openidm-admin',
    objectId: `managed/user/${id}`,
    operation: 'CREATE',
    before: null,
    after: null,
    changedFields: fields.map((name) => `/${name}`),
    revision: '1',
    status: 'SUCCESS',
    message: '',
    passwordChanged: false,
    mapping: mappingName,
  }
  insertAudit.run('activity', timeOrderedId(), timestamp, runId, JSON.stringify(content))
}

function audit(situation: string, action: string, sourceId: string, targetId: string): void {
  const timestamp = new Date().toISOString()
  const content = {
    eventName: 'recon',
    transactionId: runId,
    timestamp,
    userId: 'openidm-admin',
    trackingIds: null,
    entryType: 'entry',
    reconId: runId,
    mapping: mappingName,
    reconciling: 'source',
    linkQualifier: 'default',
    situation,
    action,
    sourceObjectId: `system/hr/account/${sourceId}`,
    targetObjectId: `managed/user/${targetId}`,
    ambiguousTargetObjectIds: '',
    status: 'SUCCESS',
    message: null,
    messageDetail: null,
    exception: null,
  }
  insertAudit.run('recon', `${runId}-${count}`, timestamp, runId, JSON.stringify(content))
  associate(situation, action, sourceId, targetId)
}

function associate(situation: string, action: string, sourceId: string, targetId: string): void {
  const content = {
    reconId: runId,
    mapping: mappingName,
    situation,
    action,
    linkQualifier: 'default',
    sourceObjectId: sourceId,
    targetObjectId: targetId,
    sourceResourceCollection: 'system/hr/account',
    targetResourceCollection: 'managed/user',
    status: 'SUCCESS',
    exception: null,
    message: null,
    messageDetail: null,
    ambiguousTargetObjectIds: '',
    phase: 'source',
  }
  insertAssociation.run(runId, `${runId}-${count}`, JSON.stringify(content))
}
