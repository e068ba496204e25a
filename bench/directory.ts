/**
 * A directory, beside its floor (directory-floor.ts), in turn, in processes of their own: the first load of it from managed objects, beside a
 * program that reads the same objects and writes the same entries, links and audit entries; and the run after it, which finds nothing
 * to change, beside reading both sides.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { administrator, password, people, startSlapd } from '../src/connectors/ldap/testing/slapd.ts'
import type { JsonObject } from '../src/model/json.ts'
import { makeProject } from './project.ts'
import { type Beside, bin, checkedFor, loadPeople, type Ratio, ratioOf, timed } from './timed.ts'

export interface DirectoryMeasurement {
  readonly size: number
  readonly 'first load': Ratio
  readonly 'unchanged second run': Ratio
}

export const loadMapping = 'managedUser_entries'
/** Attributes by the properties of a managed user. Besides, an entry has the attributes that need more than one. */
export const entryAttributes = {
  userName: 'uid',
  givenName: 'givenName',
  sn: 'sn',
  mail: 'mail',
  telephoneNumber: 'telephoneNumber',
  department: 'departmentNumber',
  city: 'l',
  title: 'title',
} as const

/** What the mapping makes of a managed user. */
export function entryOf(user: JsonObject): Readonly<Record<string, string>> {
  const values = Object.entries(entryAttributes).map(([property, name]) => [name, String(user[property])])
  const dn = `uid=${user.userName},${people}`
  return { dn, cn: `${user.givenName} ${user.sn}`, ...Object.fromEntries(values) }
}

export async function measureDirectory(size: number, rounds: number): Promise<DirectoryMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
  const loads: Beside[] = []
  const unchanged: Beside[] = []
  try {
    const store = loadPeople(folder, size)
    for (let round = 0; round < rounds; round++) {
      const [own = '', other = ''] = ['own', 'floor'].map((name) => join(folder, `${name}-${round}`))
      for (const data of [own, other]) cpSync(store, data, { recursive: true })
      const loaded = await floorLoad(folder, size, other)
      await using slapd = await startSlapd()
      // Only now: with the second mapping there, the load of the managed objects would flow on to the directory.
      withDirectory(folder, size, slapd.port)
      const recon = [bin, 'recon', loadMapping, '--project', folder, '--data', own, '--json']
      loads.push({ floor: loaded, syncline: timed(folder, recon, checkedFor('ABSENT', size)) })
      const read = timed(folder, floor('read', slapd.port, size, own))
      unchanged.push({ floor: read, syncline: timed(folder, recon, checkedFor('CONFIRMED', size)) })
    }
    return { size, 'first load': ratioOf(loads), 'unchanged second run': ratioOf(unchanged) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Into an empty directory. */
async function floorLoad(folder: string, size: number, data: string) {
  await using slapd = await startSlapd()
  return timed(folder, floor('load', slapd.port, size, data))
}

function floor(job: string, port: number, size: number, data: string): readonly string[] {
  return [join(import.meta.dirname, 'directory-floor.ts'), job, String(port), String(size), data]
}

/** Adds a mapping from the people to the entries. */
export function withDirectory(folder: string, size: number, port: number): void {
  makeProject(folder, size, 'to a directory')
  const names = ['cn', ...Object.values(entryAttributes)]
  const provisioner = {
    name: 'directory',
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.ldap-connector',
      bundleVersion: '[1.4.0.0,1.6.0.0)',
      connectorName: 'org.identityconnectors.ldap.LdapConnector',
    },
    configurationProperties: {
      ...{ host: '127.0.0.1', port, principal: administrator, credentials: password },
      ...{
        baseContexts: [people],
        accountObjectClasses: ['top', 'person', 'organizationalPerson', 'inetOrgPerson'],
      },
    },
    objectTypes: {
      account: {
        $schema: 'http://json-schema.org/draft-03/schema',
        ...{ id: '__ACCOUNT__', type: 'object', nativeType: '__ACCOUNT__' },
        properties: {
          dn: { type: 'string', nativeName: '__NAME__', required: true },
          ...Object.fromEntries(names.map((name) => [name, { type: 'string', nativeName: name }])),
        },
      },
    },
  }
  writeFileSync(join(folder, 'conf/provisioner.openicf-directory.json'), JSON.stringify(provisioner, null, 2))
}
