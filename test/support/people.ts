import { everything } from '../../src/model/filter/filter.ts'
import type { JsonObject } from '../../src/model/json.ts'
import { openApplication } from '../../src/syncline.ts'
import { script } from '../../src/testing/script.ts'
import { environment } from './environment.ts'
import { csvConnector, TestProject } from './project.ts'

const correlationQuery = (attribute: string) =>
  script(`var q = { _queryFilter: '${attribute} eq ' + JSON.stringify(source.uid) }; q`)

/**
 * A project of many people with two mappings of the same source: `inside` goes to managed objects, `outside` to a
 * second CSV file. Six pages at the usual page size.
 */
export const people = 3000

export function peopleProject(): TestProject {
  const project = new TestProject()
  const rows = Array.from({ length: people }, (_, index) => `p${index},Person ${index},P${index}@example.com`)
  project.write('data/hr.csv', `${['uid,name,mail', ...rows].join('\n')}\n`)
  project.write('out/out.csv', 'login,name,mail\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name', 'mail']))
  const csvFile = '&{launcher.project.location}/out/out.csv'
  project.write(
    'conf/provisioner.openicf-out.json',
    csvConnector('out', ['login', 'name', 'mail'], { csvFile }),
  )
  const schema = { type: 'object', properties: { userName: { type: 'string', searchable: true } } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  const mapping = (name: string, target: string, id: string) => ({
    name,
    source: 'system/hr/account',
    target,
    correlateEmptyTargetSet: true,
    correlationQuery: correlationQuery(id),
    properties: [
      { source: 'uid', target: id },
      { source: 'name', target: 'name' },
      { source: 'mail', target: 'mail', transform: script('source.toLowerCase()') },
    ],
  })
  project.write('conf/sync.json', {
    mappings: [
      mapping('inside', 'managed/user', 'userName'),
      mapping('outside', 'system/out/account', 'login'),
    ],
  })
  return project
}

/** A row of the target file as it must be; nothing else may ever be seen there. */
export const wholeRow = /^"(p\d+)","Person \d+","p\d+@example\.com"$/

export interface Contents {
  /** By id, without `_id` and `_rev`. */
  readonly users: ReadonlyMap<string, JsonObject>
  /** `[source id, target id]` of the mapping's links. */
  readonly links: readonly (readonly [string, string])[]
}

/** What the store holds; for `outside`, users are none. */
export async function contents(project: TestProject, mapping: string): Promise<Contents> {
  await using application = await openApplication({
    projectFolder: project.folder,
    dataFolder: project.path('.syncline'),
    environment,
    flags: {},
    log: () => {},
  })
  const { resources, administrator } = application
  const all = async (path: string, filter = everything) =>
    (await resources.query(path, { filter }, administrator)).result
  const users = await all('managed/user')
  const links = await all('repo/link')
  return {
    users: new Map(users.map(({ _id, _rev, ...content }) => [_id, content])),
    links: links
      .filter(({ linkType }) => linkType === mapping)
      .map(({ firstId, secondId }) => [String(firstId), String(secondId)]),
  }
}
