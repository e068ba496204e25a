/**
 * A new project: small, complete and runnable, so that the first thing a person does works. It is a copy of
 * `examples/new-project` and of the schemas of this package, so that editors complete and explain without a network.
 */
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Problem } from '../model/problem.ts'

/** Of this package: above both src/ and dist/. */
const template = fileURLToPath(new URL('../../examples/new-project', import.meta.url))
const schemas = fileURLToPath(new URL('../../schemas', import.meta.url))

/** Writes the project and returns its files, relative to the folder. Writes nothing if one of them exists. */
export async function writeNewProject(folder: string): Promise<readonly string[]> {
  const copies = new Map([...(await filesIn(template, '')), ...(await filesIn(schemas, 'schemas'))])
  const files = [...copies.keys(), '.gitignore']
  const taken = files.filter((file) => existsSync(join(folder, file)))
  if (taken.length > 0) {
    const message = `${resolve(folder)} has these files already: ${taken.join(', ')}`
    const hint = 'Choose an empty folder, or move these files. Nothing was written.'
    throw new Problem('CONFIGURATION', message, { detail: { files: taken }, hint })
  }
  for (const [file, from] of copies) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    // Refuses a file that has appeared since the check.
    await cp(from, join(folder, file), { force: false, errorOnExist: true })
  }
  // npm leaves files of this name out of a package.
  await writeFile(join(folder, '.gitignore'), '.syncline/\n', { flag: 'wx' })
  return files
}

/** The files below a folder by their place in the project; what a run of the example left behind is no part of it. */
async function filesIn(source: string, place: string): Promise<readonly (readonly [string, string])[]> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.syncline'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((from) => [join(place, from.slice(source.length + 1)), from] as const)
    .sort()
}
