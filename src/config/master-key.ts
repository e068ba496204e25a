import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Problem } from '../model/problem.ts'

/**
 * The installation's keys: 32 random bytes each, base64, one a line, in a file that only its owner may read, or in the environment
 * variables SYNCLINE_KEY and SYNCLINE_KEY_OLD (those before it, separated by commas). The first one encrypts; all of them
 * decrypt, so that a key can be replaced while values are still encrypted under the one before. The file is created with the
 * first value that is encrypted. It never does so to decrypt: a fresh key opens nothing, and would hide that the right one is
 * missing.
 */
export interface KeyOptions {
  readonly keyFile: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface MasterKey {
  /** Creates the key if there is none. */
  encrypt(): Promise<Buffer>
  /** The newest first; CONFIGURATION if there is none. */
  decrypt(): Promise<readonly Buffer[]>
  /** As `decrypt`, but always reads the file again. */
  reread(): Promise<readonly Buffer[]>
  /** Adds a new key before the existing ones. CONFIGURATION if they are in the environment. */
  rotate(): Promise<void>
  /** Drops all but the newest. CONFIGURATION if they are in the environment. */
  forgetOld(): Promise<void>
}

/** After how many ms the key file is checked again: another process may add a key. */
export const keyFreshness = 1000

export function masterKey({ keyFile, env }: KeyOptions): MasterKey {
  const given = [env.SYNCLINE_KEY, ...(env.SYNCLINE_KEY_OLD ?? '').split(',')]
    .filter((text) => text !== undefined && text.trim() !== '')
    .map((text, place) => () => parsed(text as string, place === 0 ? 'SYNCLINE_KEY' : 'SYNCLINE_KEY_OLD'))
  let known: readonly Buffer[] = []
  let modified: bigint | undefined
  let looked = 0

  async function find(): Promise<readonly Buffer[]> {
    if (given.length > 0) known = known.length > 0 ? known : given.map((parse) => parse())
    else if (known.length === 0 || performance.now() - looked > keyFreshness) await look()
    return known
  }

  async function look(): Promise<void> {
    const now = await modification(keyFile)
    if (now !== modified || known.length === 0) known = await readKeys(keyFile)
    modified = now
    looked = performance.now()
  }

  async function replace(change: (keys: readonly Buffer[]) => readonly Buffer[]): Promise<void> {
    if (given.length > 0) {
      const hint = 'Start with the new key in SYNCLINE_KEY and the one before in SYNCLINE_KEY_OLD.'
      throw new Problem('CONFIGURATION', 'the key is in the environment: replace it where it is set', {
        hint,
      })
    }
    const keys = change(await readKeys(keyFile))
    await written(keyFile, keys, (draft) => rename(draft, keyFile))
    modified = undefined
    await look()
  }

  async function required(keys: Promise<readonly Buffer[]>): Promise<readonly Buffer[]> {
    const found = await keys
    if (found.length > 0) return found
    throw new Problem('CONFIGURATION', `there is no key to decrypt with: neither ${keyFile} nor SYNCLINE_KEY`)
  }

  return {
    async encrypt() {
      const [key] = await find()
      if (key) return key
      await createKey(keyFile)
      await look()
      return known[0] as Buffer
    },
    decrypt: () => required(find()),
    reread() {
      looked = Number.NEGATIVE_INFINITY
      return required(find())
    },
    rotate: () => replace((keys) => [randomBytes(keyLength), ...keys]),
    forgetOld: () => replace((keys) => keys.slice(0, 1)),
  }
}

const keyLength = 32

async function modification(file: string): Promise<bigint | undefined> {
  return stat(file, { bigint: true }).then(
    ({ mtimeNs }) => mtimeNs,
    () => undefined,
  )
}

/** Empty if there is no file. */
async function readKeys(file: string): Promise<readonly Buffer[]> {
  try {
    const text = await readFile(file, 'utf8')
    return text
      .trim()
      .split(/\s+/)
      .map((line) => parsed(line, file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function parsed(text: string, origin: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== keyLength)
    throw new Problem('CONFIGURATION', `${origin} must hold 32 bytes in base64, and does not`)
  return key
}

/** Never replaces another process's key: `link` refuses where `rename` would replace. */
async function createKey(file: string): Promise<void> {
  await written(file, [randomBytes(keyLength)], (draft) =>
    link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    }),
  )
}

/** Writes all or nothing. */
async function written(
  file: string,
  keys: readonly Buffer[],
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  try {
    await write(draft, keys)
    await publish(draft)
  } finally {
    await rm(draft, { force: true })
  }
}

async function write(file: string, keys: readonly Buffer[]): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(keys.map((key) => `${key.toString('base64')}\n`).join(''))
  await handle.sync()
}
