/**
 * Reading a directory, beside its floor: the connector and `ldapsearch`, in turn, read the same entries from the same slapd, in pages
 * of 500, both with all attributes and the id. `ldapsearch` writes into a pipe that nobody looks at.
 */
import { spawnSync } from 'node:child_process'
import { administrator, password, people, startSlapd } from '../src/connectors/ldap/testing/slapd.ts'
import { everything } from '../src/model/filter/filter.ts'

interface Reading {
  readonly seconds: number
  readonly cpu: number
}

export interface LdapMeasurement {
  readonly size: number
  readonly floor: Reading
  readonly syncline: Reading
  readonly ratio: number
  readonly cpuRatio: number
}

const pageSize = 500

export async function measureLdapReading(size: number, rounds: number): Promise<LdapMeasurement> {
  await using slapd = await startSlapd({
    entries: Array.from({ length: size }, (_, n) => person(n)).join('\n'),
  })
  await using connector = slapd.connect({ baseContexts: [people], accountObjectClasses: ['inetOrgPerson'] })
  await connector.schema()
  const all: { readonly floor: Reading; readonly syncline: Reading }[] = []
  for (let round = 0; round < rounds; round++)
    all.push({
      floor: readByLdapsearch(slapd.port, size),
      syncline: await timed(async () => {
        let count = 0
        for await (const page of connector.search({
          objectClass: '__ACCOUNT__',
          filter: everything,
          pageSize,
        }))
          count += page.length
        if (count !== size) throw new Error(`${count} of ${size} entries were read`)
      }),
    })
  const floor = fastest(all.map((one) => one.floor))
  const syncline = fastest(all.map((one) => one.syncline))
  return {
    size,
    floor,
    syncline,
    ratio: syncline.seconds / floor.seconds,
    cpuRatio: syncline.cpu / floor.cpu,
  }
}

/** 14 attributes and 18 values, about 500 bytes. */
function person(n: number): string {
  return `dn: uid=u${n},${people}
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
uid: u${n}
cn: Person Number ${n}
sn: Number ${n}
givenName: Zoë
displayName: Person Number ${n}
mail: person.number.${n}@example.com
mail: p${n}@example.org
telephoneNumber: +49 30 ${1_000_000 + n}
title: Engineer of things
employeeNumber: ${n}
employeeType: permanent
departmentNumber: ${n % 97}
l: Berlin
description: The person with the number ${n}, made for a measurement
`
}

function readByLdapsearch(port: number, size: number): Reading {
  const search = `ldapsearch -x -LLL -H ldap://127.0.0.1:${port} -D ${administrator} -w ${password} -b ${people} -E pr=${pageSize}/noprompt '(objectClass=inetOrgPerson)' '*' entryUUID`
  const start = performance.now()
  // The last line of `times` is the time of the children: user and system.
  const { status, stdout } = spawnSync('sh', ['-c', `${search} | grep -c '^dn:'; times`], {
    encoding: 'utf8',
  })
  const seconds = (performance.now() - start) / 1000
  const [count, , children = ''] = stdout.split('\n')
  if (status !== 0 || Number(count) !== size) throw new Error(`ldapsearch found ${count} of ${size} entries`)
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
  return {
    seconds,
    cpu: parts.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0),
  }
}

async function timed(work: () => Promise<void>): Promise<Reading> {
  const start = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

/** Noise only ever adds time. */
function fastest(readings: readonly Reading[]): Reading {
  return {
    seconds: Math.min(...readings.map(({ seconds }) => seconds)),
    cpu: Math.min(...readings.map(({ cpu }) => cpu)),
  }
}
