import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { standaloneHost } from '../../kit/host.ts'
import type { ConnectorHost } from '../../kit/kind.ts'
import { LdapConnector } from '../ldap-connector.ts'
import { ldapSettings } from '../settings.ts'

/** A slapd of a test's own: a free port of 127.0.0.1, a temporary folder, and no other data than what is given. */
export interface Slapd extends AsyncDisposable {
  readonly port: number
  /** Its socket on this machine, as `ldapi://…`. */
  readonly local: string
  readonly folder: string
  /** A connector as the administrator, with these settings besides. */
  connect(configuration?: JsonObject, host?: Partial<ConnectorHost>): LdapConnector
  /** Changes by LDIF, as another program. */
  change(ldif: string): void
  /** Deletes everything below the base, and gives it its empty containers back. */
  empty(): void
  /** `SIGKILL`: as if it had crashed. */
  stop(signal?: NodeJS.Signals): Promise<void>
  start(): Promise<void>
}

export const base = 'dc=example,dc=com'
export const people = `ou=people,${base}`
export const administrator = `cn=admin,${base}`
export const password = 'adm1n'

interface SlapdOptions {
  /** Lines of the database, e.g. `olcSizeLimit: 5`. */
  readonly database?: readonly string[]
  /** Bytes that the database may grow to. */
  readonly size?: number
  /** Lines that hold for all databases and for the root DSE, e.g. `olcAccess: …`. */
  readonly frontend?: readonly string[]
  /** Lines of the whole server, with the folder of its files, e.g. for TLS. */
  readonly global?: (folder: string) => readonly string[]
  /** A log of writes in `cn=accesslog`, as liveSync reads it; `purge`: its age and how often that is looked at. */
  readonly accessLog?: boolean | { readonly purge: string }
  /** Entries besides the containers. */
  readonly entries?: string
  /** Modules with their overlays of the database, as LDIF without `dn` and `objectClass: olcOverlayConfig`, e.g. `{ ppolicy: '…' }`. */
  readonly overlays?: Readonly<Record<string, string>>
}

export const containers = `dn: ${base}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ${people}
objectClass: organizationalUnit
ou: people

dn: ou=groups,${base}
objectClass: organizationalUnit
ou: groups
`

export async function startSlapd({
  database = [],
  frontend = [],
  global = () => [],
  entries = '',
  accessLog = false,
  overlays = {},
  size = 104_857_600,
}: SlapdOptions = {}): Promise<Slapd> {
  requirePrograms()
  const temporary = temporaryFolder()
  const port = await freePort()
  const config = temporary.file('config')
  const data = temporary.file('data')
  const log = temporary.file('log')
  for (const folder of [config, data, log]) mkdirSync(folder)
  load(
    configuration({
      data,
      log: accessLog ? log : undefined,
      purge: typeof accessLog === 'object' ? accessLog.purge : undefined,
      database,
      frontend,
      global: global(temporary.path),
      overlays,
      size,
    }),
    ['-n', '0', '-F', config],
    temporary.file('config.ldif'),
  )
  load(`${containers}\n${entries}`, ['-b', base, '-F', config], temporary.file('data.ldif'))
  let process: ReturnType<typeof spawn> | undefined
  const url = `ldap://127.0.0.1:${port}`
  const local = `ldapi://${encodeURIComponent(temporary.file('ldapi'))}`
  const slapd: Slapd = {
    port,
    local,
    folder: temporary.path,
    connect: (configuration = {}, given = {}) => {
      const host = standaloneHost({ projectFolder: temporary.path, ...given })
      const settings = {
        host: '127.0.0.1',
        port,
        principal: administrator,
        credentials: password,
        baseContexts: [base],
        ...configuration,
      }
      return new LdapConnector(ldapSettings(settings, host.projectFolder, host.log), host)
    },
    change: (ldif) => run('ldapmodify', ['-x', '-H', url, '-D', administrator, '-w', password], ldif),
    empty() {
      run('ldapdelete', ['-r', '-x', '-H', url, '-D', administrator, '-w', password, base])
      run('ldapadd', ['-x', '-H', url, '-D', administrator, '-w', password], containers)
    },
    async start() {
      process = spawn('slapd', ['-h', `${url} ${local}`, '-F', config, '-d', '0'], {
        stdio: 'ignore',
        env: programs,
      })
      await answers(port)
    },
    async stop(signal = 'SIGTERM') {
      if (!process || process.exitCode !== null || process.signalCode !== null) return
      const ended = once(process, 'exit')
      process.kill(signal)
      await ended
    },
    async [Symbol.asyncDispose]() {
      await slapd.stop()
      temporary[Symbol.dispose]()
    },
  }
  await slapd.start()
  return slapd
}

/** Debian has the server where only root looks. */
const programs = {
  ...globalThis.process.env,
  PATH: `${globalThis.process.env.PATH}:/usr/sbin:/usr/local/sbin`,
}

function requirePrograms(): void {
  for (const program of ['slapd', 'slapadd', 'ldapmodify'])
    if (spawnSync(program, ['-VV'], { env: programs }).error)
      throw new Error(
        `This test needs ${program}: install the packages slapd and ldap-utils (apt-get install slapd ldap-utils)`,
      )
}

function load(ldif: string, target: readonly string[], file: string): void {
  writeFileSync(file, ldif)
  run('slapadd', ['-q', ...target, '-l', file])
}

function run(program: string, parameters: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(program, parameters, { env: programs, input, encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`${program} failed: ${error ?? stderr}`)
}

/** What the standard classes lack: one value of bytes, in an auxiliary class. */
const badge = `dn: cn=badge,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: badge
olcAttributeTypes: ( 1.3.6.1.4.1.4203.666.11.1 NAME 'badgeImage' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
olcObjectClasses: ( 1.3.6.1.4.1.4203.666.11.2 NAME 'badgeHolder' SUP top AUXILIARY MAY badgeImage )
`

const schemas = ['core', 'cosine', 'inetorgperson', 'nis']
const schemaFolder = ['/etc/ldap/schema', '/etc/openldap/schema'].find((folder) => existsSync(folder))
const moduleFolder = ['/usr/lib/ldap', '/usr/lib/openldap', '/usr/libexec/openldap'].find((folder) =>
  existsSync(folder),
)

function configuration({
  data,
  log,
  purge,
  database,
  frontend,
  global,
  overlays,
  size,
}: {
  readonly data: string
  readonly log: string | undefined
  readonly purge: string | undefined
  readonly database: readonly string[]
  readonly frontend: readonly string[]
  readonly global: readonly string[]
  readonly overlays: Readonly<Record<string, string>>
  readonly size: number
}): string {
  const main = log === undefined ? '{1}mdb' : '{2}mdb'
  return [
    'dn: cn=config\nobjectClass: olcGlobal\ncn: config',
    ...global,
    `\ndn: cn=module{0},cn=config\nobjectClass: olcModuleList\ncn: module{0}\nolcModulePath: ${moduleFolder}\nolcModuleLoad: back_mdb\nolcModuleLoad: accesslog${Object.keys(
      overlays,
    )
      .map((name) => `\nolcModuleLoad: ${name}`)
      .join('')}`,
    '\ndn: cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: schema\n',
    ...schemas.map((name) => `include: file://${schemaFolder}/${name}.ldif\n`),
    badge,
    ...(frontend.length === 0 ? [] : [frontendDatabase, ...frontend, '']),
    ...(log === undefined ? [] : [logDatabase(log)]),
    databaseOf(main),
    `olcSuffix: ${base}\nolcRootDN: ${administrator}\nolcRootPW: ${password}\nolcDbDirectory: ${data}`,
    `olcDbMaxSize: ${size}\nolcDbNoSync: TRUE\nolcDbIndex: objectClass,entryUUID,uid,cn eq`,
    ...database,
    ...(log === undefined
      ? []
      : [logOverlay, ...(purge === undefined ? [] : [`olcAccessLogPurge: ${purge}`])]),
    ...Object.entries(overlays).map(
      ([name, settings]) =>
        `\ndn: olcOverlay=${name},olcDatabase=${main},cn=config\nobjectClass: olcOverlayConfig\nolcOverlay: ${name}\n${settings}`,
    ),
    '',
  ].join('\n')
}

const frontendDatabase =
  'dn: olcDatabase={-1}frontend,cn=config\nobjectClass: olcDatabaseConfig\nobjectClass: olcFrontendConfig\nolcDatabase: {-1}frontend'

function databaseOf(name: string): string {
  return `dn: olcDatabase=${name},cn=config\nobjectClass: olcDatabaseConfig\nobjectClass: olcMdbConfig\nolcDatabase: ${name}`
}

function logDatabase(folder: string): string {
  const settings = `olcSuffix: cn=accesslog\nolcRootDN: ${administrator}\nolcDbDirectory: ${folder}\nolcDbMaxSize: 104857600`
  return `${databaseOf('{1}mdb')}\n${settings}\nolcDbNoSync: TRUE\nolcDbIndex: entryCSN,objectClass,reqResult eq\n`
}

const logOverlay = `
dn: olcOverlay={0}accesslog,olcDatabase={2}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcAccessLogConfig
olcOverlay: {0}accesslog
olcAccessLogDB: cn=accesslog
olcAccessLogOps: writes
olcAccessLogSuccess: TRUE`

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('There is no free port')
  return address.port
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
  throw new Error(`slapd does not answer on port ${port}`)
}
