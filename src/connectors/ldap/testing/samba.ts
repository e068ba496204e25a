import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectSecure } from 'node:tls'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { standaloneHost } from '../../kit/host.ts'
import { LdapConnector } from '../ldap-connector.ts'
import { ldapSettings } from '../settings.ts'
import { type Certificates, makeCertificates } from './certificates.ts'

/**
 * An Active Directory domain of a test's own: the LDAP service of a Samba domain controller, on the usual ports of a loopback
 * address that nothing else uses, in a temporary folder. To provision a domain takes some seconds; that is done once a machine,
 * into a folder below the one for temporary files, and each test gets a copy.
 */
export interface Samba extends AsyncDisposable {
  readonly address: string
  readonly folder: string
  /** Those that it shows at its address. */
  readonly certificates: Certificates
  /** What reaches it as the administrator, over TLS. */
  readonly settings: JsonObject
  /** A connector as the administrator, with these settings besides. */
  connect(configuration?: JsonObject): LdapConnector
  /** Changes by LDIF, as another program; `controls` as ldapmodify's `-e` takes them. */
  change(ldif: string, controls?: readonly string[]): void
  /** What ldapsearch prints of the entries below the domain (`filter`, attributes), unwrapped LDIF. */
  find(filter: string, ...attributes: readonly string[]): string
  /** Deletes everything below the base, and gives it its empty containers back. */
  empty(): void
  /** `SIGKILL`: as if it had crashed. */
  stop(signal?: NodeJS.Signals): Promise<void>
  start(): Promise<void>
}

export const domain = 'DC=example,DC=test'
/** Where tests work; the rest of the domain has the accounts and groups of Windows. */
export const base = `OU=Syncline,${domain}`
export const people = `OU=people,${base}`
export const groups = `OU=groups,${base}`
export const administrator = `CN=Administrator,CN=Users,${domain}`
export const password = 'Passw0rd!Adm'

interface SambaOptions {
  /** Entries besides the containers, as LDIF. Whoever wants the same entries shares a copy that has them. */
  readonly entries?: string
}

const containers = [base, people, groups]
  .map((name) => `dn: ${name}\nobjectClass: organizationalUnit\n`)
  .join('\n')

export async function startSamba({ entries = '' }: SambaOptions = {}): Promise<Samba> {
  requirePrograms()
  const image = await imageWith(entries)
  const temporary = temporaryFolder()
  copy(image, temporary.path)
  return running(temporary.path, () => temporary[Symbol.dispose]())
}

async function running(folder: string, dispose: () => void): Promise<Samba> {
  const address = await freeAddress()
  const certificates = makeCertificates(folder, `IP:${address}`)
  const { authority } = certificates
  chmodSync(certificates.key, 0o600)
  const file = join(folder, 'smb.conf')
  writeFileSync(file, configuration({ folder, address, certificates }))
  const environment = { ...programs, LDAPTLS_CACERT: authority }
  const client = ['-x', '-H', `ldaps://${address}`, '-D', administrator, '-w', password]
  const asAdministrator = (program: string, parameters: readonly string[], input = '') =>
    run(program, [...client, ...parameters], input, environment)
  let server: ChildProcess | undefined
  const samba: Samba = {
    address,
    folder,
    certificates,
    settings: {
      host: address,
      ssl: true,
      trustedCertificates: authority,
      principal: administrator,
      credentials: password,
    },
    connect(given = {}) {
      const host = standaloneHost({ projectFolder: folder })
      const settings = { ...samba.settings, ...accounts, baseContexts: [base], ...given }
      return new LdapConnector(ldapSettings(settings, host.projectFolder, host.log), host)
    },
    change(ldif, controls = []) {
      asAdministrator(
        'ldapmodify',
        controls.flatMap((control) => ['-e', control]),
        ldif,
      )
    },
    find: (filter, ...attributes) =>
      asAdministrator('ldapsearch', ['-LLL', '-o', 'ldif-wrap=no', '-b', domain, filter, ...attributes]),
    empty() {
      asAdministrator('ldapdelete', ['-r', base])
      asAdministrator('ldapadd', [], containers)
    },
    async start() {
      // It ends when its standard input does: nothing is left of a test that is killed.
      const stdio = ['pipe', 'ignore', 'ignore'] as const
      server = spawn('samba', ['-i', '-M', 'single', '-s', file], { env: programs, stdio: [...stdio] })
      await answers(server, address, folder)
    },
    async stop(signal = 'SIGTERM') {
      if (!server || server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill(signal)
      await ended
    },
    async [Symbol.asyncDispose]() {
      await samba.stop()
      dispose()
    },
  }
  await samba.start()
  return samba
}

/** Accounts and groups as Active Directory has them. */
const accounts = {
  accountObjectClasses: ['top', 'person', 'organizationalPerson', 'user'],
  accountUserNameAttributes: ['sAMAccountName', 'userPrincipalName'],
  groupObjectClasses: ['top', 'group'],
  groupMemberAttribute: 'member',
  passwordAttribute: 'unicodePwd',
}

/** Debian has the server where only root looks. */
const programs = {
  ...globalThis.process.env,
  PATH: `${globalThis.process.env.PATH}:/usr/sbin:/usr/local/sbin`,
}

const packages =
  'samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba winbind ldap-utils'

function requirePrograms(): void {
  for (const program of ['samba', 'samba-tool', 'ldapmodify', 'flock'])
    if (spawnSync(program, ['-VV'], { env: programs }).error)
      throw new Error(`This test needs ${program}: apt-get install --no-install-recommends ${packages}`)
  if (globalThis.process.getuid?.() !== 0)
    throw new Error('This test needs root: Active Directory listens on ports below 1024 and on no others')
}

/** The folder of a domain that holds these entries and does not run. Made once, whoever asks and how often. */
async function imageWith(entries: string): Promise<string> {
  const version = run('samba', ['--version'], '')
  const contents = JSON.stringify([version, provisioning, containers, entries])
  const key = createHash('sha256').update(contents).digest('hex').slice(0, 16)
  const cache = join(tmpdir(), 'syncline-samba')
  mkdirSync(cache, { recursive: true })
  const image = join(cache, key)
  const made = `${image}.making`
  if (existsSync(image)) return image
  const origin = entries === '' ? undefined : await imageWith('')
  await using _ = await lock(`${image}.lock`)
  // Another process may have made it meanwhile, or have died in the middle.
  if (existsSync(image)) return image
  rmSync(made, { recursive: true, force: true })
  if (origin === undefined) provision(made)
  else copy(origin, made)
  const samba = await running(made, () => undefined)
  samba.change(
    (origin === undefined ? containers : entries).replaceAll(/^(dn: .*)$/gm, '$1\nchangetype: add'),
  )
  await samba[Symbol.asyncDispose]()
  renameSync(made, image)
  return image
}

const provisioning = [
  '--realm=EXAMPLE.TEST',
  '--domain=EXAMPLE',
  '--server-role=dc',
  '--dns-backend=NONE',
  `--adminpass=${password}`,
  '--host-name=dc1',
  '--host-ip=127.0.0.1',
  '--option=interfaces=lo',
  '--option=bind interfaces only=yes',
  '--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb',
  '--option=ldb:nosync=yes',
]

function provision(folder: string): void {
  mkdirSync(folder)
  run('samba-tool', ['domain', 'provision', `--targetdir=${folder}`, ...provisioning], '')
}

function configuration({
  folder,
  address,
  certificates,
}: {
  readonly folder: string
  readonly address: string
  readonly certificates: Certificates
}): string {
  const settings = {
    'netbios name': 'DC1',
    realm: 'EXAMPLE.TEST',
    workgroup: 'EXAMPLE',
    'server role': 'active directory domain controller',
    'server services': 'ldap',
    'bind interfaces only': 'yes',
    interfaces: `${address}/8`,
    'private dir': join(folder, 'private'),
    'lock directory': folder,
    'state directory': join(folder, 'state'),
    'cache directory': join(folder, 'cache'),
    'binddns dir': join(folder, 'bind-dns'),
    'pid directory': folder,
    'ncalrpc dir': join(folder, 'ncalrpc'),
    'log file': join(folder, 'log'),
    'tls cafile': certificates.authority,
    'tls certfile': certificates.certificate,
    'tls keyfile': certificates.key,
    // Otherwise a password that was replaced opens the account for another hour.
    'old password allowed period': '0',
    // A crash of the machine would end the test as well.
    'ldb:nosync': 'yes',
  }
  return ['[global]', ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`), ''].join('\n')
}

function run(program: string, parameters: readonly string[], input: string, env = programs): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { env, input, encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`${program} failed: ${error ?? stderr.slice(-2000)}`)
  return stdout
}

/** With the permissions of its folders: samba does not start otherwise. */
function copy(image: string, folder: string): void {
  run('cp', ['-a', `${image}/.`, folder], '')
}

/** Held until its disposal, at the latest until this process ends. */
async function lock(file: string): Promise<AsyncDisposable> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  await once(holder.stdout, 'data')
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(holder, 'exit')
      holder.stdin.end()
      await ended
    },
  }
}

/** An address of this computer on which nobody serves LDAP. */
export async function freeAddress(): Promise<string> {
  for (;;) {
    const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3))
    const address = `127.${100 + (a % 100)}.${b}.${1 + (c % 250)}`
    const server = createServer().listen(389, address)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.close()
    if (isFree) return address
  }
}

async function answers(server: ChildProcess, host: string, folder: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error(`samba ended; ${folder}/log says why`)
    const socket = connectSecure({ port: 636, host, rejectUnauthorized: false })
    const isOpen = await once(socket, 'secureConnect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
}
