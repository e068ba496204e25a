import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Problem } from '../model/problem.ts'

/**
 * The installation's one key: 32 random bytes, base64, in a file that only its owner may read, or in the environment
 * variable SYNCLINE_KEY. The file comes into being with the first value that is encrypted. It never does so to decrypt:
 * a fresh key opens nothing, and would hide that the right one is missing.
 */
export interface KeyOptions {
  readonly keyFile: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface MasterKey {
  /** Creates the key if there is none. */
  encrypt(): Promise<Buffer>
  /** CONFIGURATION if there is none. */
  decrypt(): Promise<Buffer>
}

export function masterKey({ keyFile, env }: KeyOptions): MasterKey {
  let known: Buffer | undefined

  async function find(): Promise<Buffer | undefined> {
    const given = env.SYNCLINE_KEY
    known ??= given ? parsed(given, 'SYNCLINE_KEY') : await readKey(keyFile)
    return known
  }

  return {
    async encrypt() {
      const key = await find()
      if (key) return key
      await createKey(keyFile)
      return (await find()) as Buffer
    },
    async decrypt() {
      const key = await find()
      if (key) return key
      throw new Problem(
        'CONFIGURATION',
        `there is no key to decrypt with: neither ${keyFile} nor SYNCLINE_KEY`,
      )
    },
  }
}

async function readKey(file: string): Promise<Buffer | undefined> {
  try {
    return parsed(await readFile(file, 'utf8'), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parsed(text: string, origin: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== 32)
    throw new Problem('CONFIGURATION', `${origin} must hold 32 bytes in base64, and does not`)
  return key
}

/** Whole or not at all, and never over another process's key: `link` refuses where `rename` would replace. */
async function createKey(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(`${randomBytes(32).toString('base64')}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { force: true })
  }
}
