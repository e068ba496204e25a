/**
 * The floor of what is done with a directory.
 *
 *     node directory-floor.ts load <port> <count> <data>   managed objects into the directory, with links and audit entries
 *     node directory-floor.ts read <port> <count> <data>   read the managed objects and the directory
 */
import { Attribute, Client } from 'ldapts'
import { PostRead } from '../src/connectors/ldap/post-read.ts'
import { administrator, people as base, password } from '../src/connectors/ldap/testing/slapd.ts'
import { parallel } from '../src/kit/parallel.ts'
import { entryAttributes, entryOf, loadMapping } from './directory.ts'
import { closeStore, openStore, pageSize, pagesOfPeople, pageWriter } from './managed-people.ts'

const [job = '', port = '', wanted = '', data = ''] = process.argv.slice(2)
/** As many requests wait for their answers as those of the connector. */
const inFlight = 8

const client = new Client({ url: `ldap://127.0.0.1:${port}` })
await client.bind(administrator, password)
const db = openStore(data)
const jobs: Readonly<Record<string, () => Promise<number>>> = { load, read }
const count = await jobs[job]?.()
if (count !== Number(wanted)) throw new Error(`${count} of ${wanted} entries`)
closeStore(db)
await client.unbind()

async function load(): Promise<number> {
  const write = pageWriter(db, {
    mapping: loadMapping,
    target: 'system/directory/account',
    properties: entryAttributes,
  })
  let loaded = 0
  for (const people of pagesOfPeople(db)) {
    const ids = await parallel(people, inFlight, async (person) => {
      const { dn = '', ...values } = entryOf(person)
      const attributes = Object.entries(values).map(
        ([type, value]) => new Attribute({ type, values: [value] }),
      )
      const classes = ['top', 'person', 'organizationalPerson', 'inetOrgPerson']
      const answer = new PostRead(['entryUUID'], [])
      await client.add(dn, [new Attribute({ type: 'objectClass', values: classes }), ...attributes], [answer])
      return String(answer.entry?.entryUUID)
    })
    write(people, ids)
    loaded += people.length
  }
  return loaded
}

async function read(): Promise<number> {
  let known = 0
  for (const people of pagesOfPeople(db)) known += people.length
  let found = 0
  const question = {
    filter: '(objectClass=inetOrgPerson)',
    attributes: ['*', 'entryUUID'],
    paged: { pageSize },
  }
  for await (const { searchEntries } of client.searchPaginated(base, question)) found += searchEntries.length
  if (known !== found) throw new Error(`${known} managed objects and ${found} entries`)
  return found
}
