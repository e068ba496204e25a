import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../model/problem.ts'
import type { ConfigurationStore, ConfigurationText } from '../../repository/configuration-store.ts'
import { fileOfId } from '../document-id.ts'
import { watchStamp } from './watch.ts'
import { removeDrafts, writeWhole } from './write-file.ts'

interface ProjectFolder {
  readonly folder: string
  /** Other files that belong to the configuration: scripts. */
  readonly filesRead: () => ReadonlySet<string>
}

/** The configuration in the files of a project, which people edit as well. */
export function fileConfiguration({ folder, filesRead }: ProjectFolder): ConfigurationStore {
  const conf = join(folder, 'conf')
  const read = (id: string) => readText(join(conf, fileOfId(id)))
  const stamp = () => stampOf(folder, filesRead())
  return {
    read,
    stamp,
    async write(id, text, revision) {
      // An edit between this check and the write is lost: files offer no better way.
      if ((await read(id))?.revision !== revision)
        throw new Problem('CONFLICT', `conf/${fileOfId(id)} has been changed meanwhile`, {
          hint: 'Try again.',
        })
      // A server may begin with an empty folder.
      await mkdir(conf, { recursive: true })
      await writeWhole(join(conf, fileOfId(id)), text)
    },
    tidy: () => removeDrafts(conf),
    watch: (changed, { interval }) => watchStamp(stamp, changed, interval),
  }
}

async function readText(file: string): Promise<ConfigurationText | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes === undefined) return undefined
  const revision = createHash('sha256').update(bytes).digest('hex')
  // Without a byte order mark, as the file is read.
  return { text: bytes.toString('utf8').replace(/^\uFEFF/, ''), revision }
}

/** Shows whether any file of the configuration has been written: cheap, so that it can be read often. */
async function stampOf(folder: string, filesRead: ReadonlySet<string>): Promise<string> {
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
