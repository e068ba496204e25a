// Plain JavaScript for Node 20: the steps that run before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = join(root, 'node_modules', '.bin')

/** Installs the locked dependencies if they are missing or older than the lock file. */
export function ensureInstalled() {
  if (isInstalled()) return
  console.log('Installing dependencies (once) …')
  // A failed or doubtful install must stop here, with npm's own words on the screen.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) {
    console.error('npm ci failed; what it says above has to be repaired first.')
    process.exit(status ?? 1)
  }
}

/** npm notes in the hidden lock file what it has installed. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed) || !existsSync(join(bin, 'node'))) return false
  const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages
  const present = packages(installed)
  return Object.entries(packages(join(root, 'package-lock.json'))).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  )
}

/** The environment in which `node` is the pinned one. */
export const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}` }

/** Runs a command with the pinned Node in front; ends this process with its exit code if that is not 0. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: environment,
    ...options,
  })
  if (error) console.error(error.message)
  if (status !== 0) process.exit(status ?? 1)
}
