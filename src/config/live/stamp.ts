import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../project.ts'

/** Shows whether any file of a project has been written: cheap, so that it can be read often. */
export async function stampOf({ folder, filesRead }: Pick<Project, 'folder' | 'filesRead'>): Promise<string> {
  const conf = await readdir(join(folder, 'conf')).catch(() => [])
  const names = conf.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort()
  const files = [
    ...names.map((name) => `conf/${name}`),
    'conf/boot/boot.properties',
    ...[...filesRead].sort(),
  ]
  const stamps = await Promise.all(files.map((file) => stampOfFile(join(folder, file))))
  return JSON.stringify(files.map((file, place) => [file, stamps[place]]))
}

async function stampOfFile(file: string): Promise<string | null> {
  return stat(file, { bigint: true }).then(
    ({ mtimeNs, size, ino }) => `${mtimeNs} ${size} ${ino}`,
    () => null,
  )
}
