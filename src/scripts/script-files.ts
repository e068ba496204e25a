import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, posix, relative, sep } from 'node:path'
import { Problem } from '../model/problem.ts'
import type { Found } from './inside/require.ts'
import { syntaxProblem } from './prepare.ts'
import { shippedModule } from './shipped-files.ts'

/**
 * Finds the files that scripts `require`: below `<project>/script`, with names relative to it or, with a leading dot, to
 * the requiring module. Files outside cannot be reached by `..`, an absolute path or a symbolic link, except the modules
 * that come with Syncline. A file of the project with the same name has precedence.
 */
interface ScriptFile extends Found {
  /** Absolute, with the time of its last change. */
  readonly file: string
  readonly modified: number
}

export interface ScriptFiles {
  find(from: string, name: unknown): Promise<ScriptFile>
  /** True if a file has changed. */
  changed(file: string, modified: number): Promise<boolean>
}

export function scriptFiles(projectFolder: string): ScriptFiles {
  const folder = join(projectFolder, 'script')

  return {
    async find(from, name) {
      if (typeof name !== 'string' || name === '') throw notFound(String(name), 'the name must be a string')
      const own = await locate(folder, from, name).catch((missing: unknown) => missing)
      const file = typeof own === 'string' ? own : shippedModule(name)
      if (file === undefined) throw own
      const path =
        file === own
          ? relative(await realpath(folder), file)
              .split(sep)
              .join('/')
          : `${name.replace(/\.js$/, '')}.js`
      const source = await readFile(file, 'utf8')
      const json = path.endsWith('.json')
      if (!json) await refuseBroken(path, source)
      const { mtimeMs } = await stat(file)
      const url = `script/${path.replace(/[^\w./,@-]+/g, '_')}`
      const parent = dirname(path)
      return { path, folder: parent === '.' ? '' : parent, json, source, url, file, modified: mtimeMs }
    },
    async changed(file, modified) {
      const now = await stat(file).catch(() => undefined)
      return now?.mtimeMs !== modified
    },
  }
}

/** Where a module may stand below script/, in this order. */
export function modulePaths(from: string, name: string): readonly string[] {
  const base = posix.normalize(/^\.\.?(?:\/|$)/.test(name) ? posix.join(from, name) : name)
  return base.startsWith('..') ? [] : [base, `${base}.js`, `${base}.json`, `${base}/index.js`]
}

/** Checked as the body of a function, as it runs: `return` is allowed. */
async function refuseBroken(path: string, source: string): Promise<void> {
  const script = { label: `script/${path}`, source: `(function(){${source}\n})`, globals: {} }
  const problem = await syntaxProblem(script)
  if (problem) throw problem
}

async function locate(folder: string, from: string, name: string): Promise<string> {
  const base = /^\.\.?(?:\/|$)/.test(name) ? join(folder, from, name) : join(folder, name)
  if (!base.startsWith(folder + sep)) throw notFound(name, outside)
  const root = await realpath(folder).catch(() => undefined)
  if (root === undefined) throw notFound(name, 'the project has no folder script/')
  for (const candidate of [base, `${base}.js`, `${base}.json`, join(base, 'index.js')]) {
    const file = await realpath(candidate).catch(() => undefined)
    if (file === undefined || !(await isFile(file))) continue
    if (!file.startsWith(root + sep)) throw notFound(name, outside)
    return file
  }
  throw notFound(name, 'the folder script/ of the project has no such file')
}

const outside = 'it lies outside of the folder script/'

async function isFile(path: string): Promise<boolean> {
  return (await stat(path)).isFile()
}

function notFound(name: string, fact: string): Problem {
  return new Problem(
    'NOT_FOUND',
    `require('${name}'): ${fact}. Scripts can require the project's own files only.`,
  )
}
