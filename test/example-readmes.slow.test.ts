/** Slow: each command of the READMEs is a process of its own; some start servers. */
import { cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { freeAddress } from '../src/connectors/ldap/testing/samba.ts'
import { root, run, TestProject } from './support/project.ts'
import { follow } from './support/transcripts.ts'

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function freePort(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => resolve(Object(server.address()).port))
  const port = await promise
  server.close()
  return String(port)
}

/** A copy of an example; its server, if it has one, is stopped by the script that started it. */
function copyOf(example: string, script?: string, environment: Record<string, string> = {}): TestProject {
  const project = new TestProject()
  cpSync(join(root, 'examples', example), project.folder, {
    recursive: true,
    filter: (path) => !/\.syncline|\/server$/.test(path),
  })
  open.push(() => {
    if (script !== undefined) run('sh', [script, 'stop'], environment, { cwd: project.folder })
    project[Symbol.dispose]()
  })
  return project
}

it('a table that becomes users prints what its README shows, command by command', () => {
  follow('database-to-managed', copyOf('database-to-managed'))
})

it('HR to LDAP prints what its README shows, command by command', async () => {
  const environment = { LDAP_PORT: await freePort() }
  const project = copyOf('hr-to-ldap', 'directory/start.sh', environment)
  follow('hr-to-ldap', project, environment)
  const { code, out } = run('sh', ['directory/start.sh', 'stop'], environment, { cwd: project.folder })
  expect([code, out]).toEqual([0, ''])
})

it('Active Directory and LDAP print what their README shows, command by command', async () => {
  const environment = {
    AD_HOST: await freeAddress(),
    LDAP_PORT: await freePort(),
    OPENIDM_PORT_HTTP: await freePort(),
  }
  const project = copyOf('ad-and-ldap', 'directories/start.sh', environment)
  follow('ad-and-ldap', project, environment, {
    '127.0.0.77': environment.AD_HOST,
    '3891': environment.LDAP_PORT,
  })
})
