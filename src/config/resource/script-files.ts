import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { JsonObject } from '../../model/json.ts'
import { messageOf, Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { writeWhole } from '../live/write-file.ts'

export interface ScriptFilesOptions {
  readonly folder: string
  /** The Problem of a text that does not compile, neither as a script nor as a module. */
  readonly check: (path: string, source: string) => Promise<Problem | undefined>
  /** Called when a file has changed: what uses it is made anew. */
  readonly changed: () => Promise<unknown>
}

/**
 * `script/files/{path}`: the files below the project's folder `script/`, with their text as `content`. The revision is a hash of it. A
 * script that does not compile is refused. Nothing outside of the folder can be named, not by a symbolic link either.
 */
export function scriptFilesProvider(options: ScriptFilesOptions): ResourceProvider {
  const root = join(options.folder, 'script')
  const found = async (path: string): Promise<Resource> => {
    const content = await readFile(await inside(root, path), 'utf8').catch(missing(path))
    return { _id: path, _rev: hashOf(content), content }
  }
  const write = async (path: string, value: JsonObject | undefined): Promise<Resource> => {
    const { content } = value ?? {}
    if (typeof content !== 'string')
      throw new Problem('BAD_REQUEST', 'a script file needs its text as "content"')
    await refuseBroken(path, content, options)
    const file = await inside(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeWhole(file, content)
    await options.changed()
    return found(path)
  }
  return {
    async read(path) {
      if (path === '') throw new Problem('BAD_REQUEST', 'list the files with script/files?_queryFilter=true')
      return found(nameIn(splitPath(path)))
    },
    async query(path, query) {
      if (path !== '') throw new Problem('BAD_REQUEST', `script/files/${path} is a file, not a set`)
      return queryCollection(await Promise.all((await namesIn(root)).map(found)), query)
    },
    async create(path, given, content) {
      const name = nameIn([...splitPath(path), ...(given ?? '').split('/').filter((one) => one !== '')])
      if (await found(name).catch(() => undefined))
        throw new Problem('PRECONDITION_FAILED', `script/${name} exists already`)
      return write(name, content)
    },
    async update(path, rev, content) {
      const name = nameIn(splitPath(path))
      expect(await found(name), rev)
      return write(name, content)
    },
    async delete(path, rev) {
      const name = nameIn(splitPath(path))
      const last = await found(name)
      expect(last, rev)
      await rm(await inside(root, name))
      await options.changed()
      return last
    },
  }
}

function expect({ _id, _rev }: Resource, rev: string | undefined): void {
  if (rev !== undefined && rev !== _rev)
    throw new Problem('PRECONDITION_FAILED', `script/${_id} has changed since the revision given`)
}

async function refuseBroken(path: string, content: string, { check }: ScriptFilesOptions): Promise<void> {
  if (path.endsWith('.js')) {
    const problem = await check(path, content)
    if (problem)
      throw new Problem('CONFIGURATION', `script/${path} is not changed: ${problem.message}`, {
        detail: problem.detail,
      })
    return
  }
  try {
    JSON.parse(content)
  } catch (error) {
    throw new Problem('CONFIGURATION', `script/${path} is not changed: it is no JSON: ${messageOf(error)}`)
  }
}

/** `lib/names.js`: names that mean the same on every system, with an ending that scripts have. */
function nameIn(segments: readonly string[]): string {
  const path = segments.join('/')
  const isName =
    segments.length > 0 && segments.every((one) => /^[\w@+-][\w@+. -]*$/.test(one) && one.length <= 180)
  if (!isName || !/\.js(?:on)?$/.test(path))
    throw new Problem(
      'BAD_REQUEST',
      `script/files/${path}: a script file ends in .js or .json, and its names have letters, digits, _ . -`,
    )
  return path
}

/** The file of a name; NOT_FOUND where a link leads out of the folder. */
async function inside(root: string, path: string): Promise<string> {
  const file = join(root, path)
  const real = await deepestReal(file)
  const realRoot = await deepestReal(root)
  if (real !== realRoot && !real.startsWith(realRoot + sep)) throw notFound(path)
  return file
}

async function deepestReal(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch {
    const parent = dirname(file)
    return parent === file ? file : join(await deepestReal(parent), file.slice(parent.length + 1))
  }
}

async function namesIn(root: string): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true, encoding: 'utf8' }).catch(() => [])
  const paths = names.map((name) => name.split(sep).join('/')).filter((name) => /\.js(?:on)?$/.test(name))
  return paths.filter((path) => path.split('/').every((one) => /^[\w@+-][\w@+. -]*$/.test(one))).sort()
}

function missing(path: string): () => never {
  return () => {
    throw notFound(path)
  }
}

function notFound(path: string): Problem {
  return new Problem('NOT_FOUND', `There is no file script/${path}`)
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, 22)
}
