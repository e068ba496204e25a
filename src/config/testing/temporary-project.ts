import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { temporaryFolder } from '../../testing/folder.ts'
import { formatProblem } from '../locate.ts'
import type { ConfigurationProblem, Project } from '../project.ts'
import { type ReadOptions, readProject } from '../read.ts'

/** A project on disk for one test. Objects are written as JSON, texts and bytes as they are. */
export interface TemporaryProject extends AsyncDisposable {
  readonly folder: string
  read(options?: Partial<ReadOptions>): Promise<Project>
}

export async function temporaryProject(
  files: Readonly<Record<string, string | Uint8Array | object>>,
): Promise<TemporaryProject> {
  const temporary = temporaryFolder()
  const folder = temporary.path
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    const isText = typeof content === 'string' || content instanceof Uint8Array
    await writeFile(join(folder, file), isText ? content : JSON.stringify(content, undefined, 2))
  }
  return {
    folder,
    read: (options) => readProject(folder, { environment: {}, ...options }),
    [Symbol.asyncDispose]: async () => temporary[Symbol.dispose](),
  }
}

/** The problems of a project with these files, as people read them. */
export async function problemsOf(
  files: Readonly<Record<string, string | Uint8Array | object>>,
  options?: Partial<ReadOptions>,
): Promise<readonly string[]> {
  await using project = await temporaryProject(files)
  const { problems } = await project.read(options)
  return problems.map((problem: ConfigurationProblem) => formatProblem(problem))
}

/** A valid project, to which a test adds one error. */
export const sound = {
  'conf/managed.json': { objects: [{ name: 'user' }, { name: 'role' }] },
  'conf/provisioner.openicf-hr.json': {
    connectorRef: { connectorName: 'org.example.Csv' },
    objectTypes: { account: { nativeType: '__ACCOUNT__', properties: {} } },
  },
}

export function mapping(name: string, more: object = {}): Record<string, unknown> {
  return { name, source: 'system/hr/account', target: 'managed/user', ...more }
}
