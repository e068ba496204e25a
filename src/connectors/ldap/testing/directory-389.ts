import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { standaloneHost } from '../../kit/host.ts'
import { LdapConnector } from '../ldap-connector.ts'
import { ldapSettings } from '../settings.ts'
import { base, containers, freePort } from './slapd.ts'

/**
 * A 389 Directory Server of a test's own, with a change log: a free port of 127.0.0.1 and a temporary folder, to which its own
 * template is filled in. The base is that of the other directories of tests.
 */
export interface Directory389 extends AsyncDisposable {
  readonly port: number
  readonly folder: string
  /** A connector as the administrator, with these settings besides. */
  connect(configuration?: JsonObject): LdapConnector
  /** Changes by LDIF, as another program. */
  change(ldif: string, as?: { readonly dn: string; readonly password: string }): void
  /** Deletes everything below the base, and gives it its empty containers back. */
  empty(): void
  stop(): Promise<void>
  start(): Promise<void>
}

export const administrator = 'cn=Directory Manager'
const password = 'adm1n-adm1n'
const share = '/usr/share/dirsrv'

interface Options {
  /** Attributes of the written entry that entries of the log have: `nsuniqueid:targetUniqueId`. */
  readonly logged?: readonly string[]
}

export async function startDirectory389({ logged = [] }: Options = {}): Promise<Directory389> {
  requirePrograms()
  const temporary = temporaryFolder()
  const port = await freePort()
  const url = `ldap://127.0.0.1:${port}`
  prepare(temporary.path, port, logged)
  let server: ChildProcess | undefined
  const client = (as = { dn: administrator, password }) => ['-x', '-H', url, '-D', as.dn, '-w', as.password]
  const directory: Directory389 = {
    port,
    folder: temporary.path,
    connect(given = {}) {
      const host = standaloneHost({ projectFolder: temporary.path })
      const account = { principal: administrator, credentials: password }
      const settings = { host: '127.0.0.1', port, ...account, baseContexts: [base], ...given }
      return new LdapConnector(ldapSettings(settings, host.projectFolder, host.log), host)
    },
    change: (ldif, as) => run('ldapmodify', client(as), ldif),
    empty() {
      run('ldapdelete', ['-r', ...client(), base])
      run('ldapadd', client(), containers)
    },
    async start() {
      const parameters = [
        '-D',
        join(temporary.path, 'config'),
        '-i',
        join(temporary.path, 'pid'),
        '-d',
        '16384',
      ]
      server = spawn('ns-slapd', parameters, { stdio: 'inherit', env: programs })
      await answers(server, port, temporary.path)
    },
    async stop() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill('SIGTERM')
      await ended
    },
    async [Symbol.asyncDispose]() {
      await directory.stop()
      temporary[Symbol.dispose]()
    },
  }
  await directory.start()
  const database = { ds_bename: 'userRoot', ds_suffix: base, db_dir: join(temporary.path, 'database') }
  const entries = template('template-suffix-db.ldif', database).split(/\n\n+/)
  // Others come by themselves.
  run('ldapadd', client(), entries.filter((entry) => !entry.includes('dn: cn=encrypted')).join('\n\n'))
  run('ldapadd', client(), containers)
  return directory
}

/** Debian has the server where only root looks. */
const programs = {
  ...globalThis.process.env,
  PATH: `${globalThis.process.env.PATH}:/usr/sbin:/usr/local/sbin`,
}

function requirePrograms(): void {
  if (
    spawnSync('ns-slapd', ['-v'], { env: programs }).error ||
    !existsSync(`${share}/data/template-dse.ldif`)
  )
    throw new Error(
      'This test needs 389 Directory Server: apt-get install --no-install-recommends 389-ds-base',
    )
}

function prepare(folder: string, port: number, logged: readonly string[]): void {
  const folders = [
    'config',
    'config/schema',
    'log',
    'lock',
    'run',
    'tmp',
    'certificates',
    'ldif',
    'backup',
    'instance',
    'database',
  ]
  for (const name of folders) mkdirSync(join(folder, name))
  cpSync('/etc/dirsrv/config/slapd-collations.conf', join(folder, 'config', 'slapd-collations.conf'))
  cpSync('/etc/dirsrv/schema/99user.ldif', join(folder, 'config', 'schema', '99user.ldif'))
  cpSync(`${share}/data/template-dse-minimal.ldif`, join(folder, 'config', 'dse_original.ldif'))
  const values: Record<string, string> = {
    ...{
      schema_dir: join(folder, 'config', 'schema'),
      lock_dir: join(folder, 'lock'),
      tmp_dir: join(folder, 'tmp'),
    },
    ...{
      cert_dir: join(folder, 'certificates'),
      ldif_dir: join(folder, 'ldif'),
      bak_dir: join(folder, 'backup'),
    },
    ...{ run_dir: join(folder, 'run'), inst_dir: join(folder, 'instance'), log_dir: join(folder, 'log') },
    ...{
      config_dir: join(folder, 'config'),
      db_dir: join(folder, 'database'),
      db_home_dir: join(folder, 'database'),
    },
    ...{ db_lib: 'bdb', ds_port: String(port), fqdn: 'localhost', rootdn: administrator, ds_suffix: base },
    ...{ ds_passwd: `{CLEAR}${password}`, ds_user: user() },
    ...{ ldapi: join(folder, 'run', 'ldapi'), ldapi_enabled: 'off', ldapi_autobind: 'off' },
  }
  const filled = template('template-dse.ldif', values).replace(
    /^nsslapd-port: .*$/m,
    (line) => `${line}\nnsslapd-listenhost: 127.0.0.1`,
  )
  writeFileSync(join(folder, 'config', 'dse.ldif'), withChangeLog(filled, logged))
}

function template(name: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(`${share}/data/${name}`, 'utf8')
  return text.replaceAll(/%([a-z_]+)%/g, (whole, value: string) => values[value] ?? whole)
}

function withChangeLog(configuration: string, logged: readonly string[]): string {
  const more = logged.map((one) => `\nnsslapd-attribute: ${one}`).join('')
  return configuration
    .split('\n\n')
    .map((entry) =>
      entry.includes('dn: cn=Retro Changelog Plugin,')
        ? entry.replace(/nsslapd-pluginenabled: off/i, `nsslapd-pluginEnabled: on${more}`)
        : entry,
    )
    .join('\n\n')
}

function user(): string {
  return globalThis.process.getuid?.() === 0 ? 'root' : (globalThis.process.env.USER ?? 'root')
}

function run(program: string, parameters: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(program, parameters, { env: programs, input, encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`${program} failed: ${error ?? stderr}`)
}

async function answers(server: ChildProcess, port: number, folder: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`ns-slapd ended; ${folder}/log/errors says why`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
}
