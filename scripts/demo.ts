/**
 * The demo: a copy of examples/hr-to-directory in a temporary folder, and the main job on it. First what would
 * happen, then it happens, then it happens again and nothing is left to do.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'

const root = join(import.meta.dirname, '..')
const project = mkdtempSync(join(tmpdir(), 'syncline-demo-'))
cpSync(join(root, 'examples/hr-to-directory'), project, {
  recursive: true,
  filter: (path) => !path.includes('.syncline'),
})

const directory = join(project, 'data/directory.csv')
const rows = () => readFileSync(directory, 'utf8').split('\n').length - 2

title('500 people in an HR export, 60 accounts in a directory that knows some of them')
say(`The project is a copy in ${project}: configuration in conf/, scripts in script/, files in data/.`)

title('1. From HR to users: create what is missing, and remember who is who')
syncline('recon', 'hrAccount_managedUser')

title('2. From users to the directory: first look at what would happen (three changes of many)')
syncline('plan', 'managedUser_directoryAccount', '--limit', '3')

title('3. Now do it')
const before = rows()
syncline('recon', 'managedUser_directoryAccount')
say(`data/directory.csv had ${before} accounts and has ${rows()} now.`)

title('4. Again: everything is confirmed, nothing is written')
const bytes = readFileSync(directory)
const { mtimeMs } = statSync(directory)
syncline('recon', 'hrAccount_managedUser')
syncline('recon', 'managedUser_directoryAccount')
const same = bytes.equals(readFileSync(directory)) && statSync(directory).mtimeMs === mtimeMs
say(
  same
    ? 'The directory file was not touched: same bytes, same modification time.'
    : 'The directory file CHANGED, and should not have.',
)
if (!same) process.exitCode = 1

title('5. Who belongs to whom')
syncline('links', 'managedUser_directoryAccount', '--limit', '5')

title('Where to look next')
say(`  change a line of ${join(project, 'data/hr.csv')}, then look before you leap:
    node bin/syncline.js plan hrAccount_managedUser --project ${project}
  a joiner, a mover and a leaver, step by step:  examples/hr-to-directory/README.md
  why it did what it did:                        docs/life-of-an-identity.md
  the REST interface:
    node bin/syncline.js serve --project ${project}`)

function syncline(...args: readonly string[]): void {
  console.log(styleText('dim', `$ syncline ${args.join(' ')}`))
  const command = [join(root, 'bin/syncline.js'), ...args, '--project', project]
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`syncline ${args.join(' ')} ended with exit code ${status}`)
}

function title(text: string): void {
  console.log(`\n${styleText(['bold', 'cyan'], text)}\n`)
}

function say(text: string): void {
  console.log(text)
}
