import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contents, people, peopleProject, wholeRow } from './support/people.ts'
import { bin, openStore, type Result, type RunObject, run, type TestProject } from './support/project.ts'

/**
 * A disk that is full under the store, or under a target file. A limit on the size of files makes the same writes fail
 * on any machine and for any user (EFBIG). Where small file systems may be mounted, in a mount namespace that ends with the
 * process, the real thing is tried as well (ENOSPC).
 */
const recon = (project: TestProject, mapping: string) => [
  process.execPath,
  bin,
  'recon',
  mapping,
  '--project',
  project.folder,
]
const withoutCache = { NODE_COMPILE_CACHE: '' }

function limited(project: TestProject, mapping: string, kibibytes: number): Result {
  const limit = `trap '' XFSZ; ulimit -f ${kibibytes}; exec "$0" "$@"`
  return run('bash', ['-c', limit, ...recon(project, mapping)], withoutCache)
}

/** As root, or as root of a user namespace of one's own. */
const namespaces = [['--mount'], ['--mount', '--map-root-user']]
const namespace = namespaces.find(
  (options) => run('unshare', [...options, 'mount', '-t', 'tmpfs', 'none', '/mnt']).code === 0,
)

/**
 * Runs the mapping with `folder` on a file system of that size, shows its exit code, and keeps what was in the folder
 * in place of what had been there.
 */
function onSmallDisk(project: TestProject, mapping: string, folder: string, kibibytes: number): Result {
  const script = `
    folder=$0 size=$1; shift
    kept=$folder.kept; cp -a "$folder" "$kept"
    mount -t tmpfs -o size="$size"k none "$folder" && cp -a "$kept/." "$folder" || exit 99
    "$@"; code=$?
    rm -r "$kept"; cp -a "$folder" "$kept"
    umount "$folder"; rm -r "$folder"; mv "$kept" "$folder"
    exit $code`
  const command = ['bash', '-c', script, project.path(folder), String(kibibytes), ...recon(project, mapping)]
  return run('unshare', [...(namespace as string[]), ...command], withoutCache)
}

/** Ten mebibytes that are there before, so that it is the target file for which there is no room, not the store. */
const fillers = Array.from({ length: 100 }, (_, index) => `"filler${index}","${'x'.repeat(105_000)}",""`)

/** The final message must name the file and the disk. The hints below it mention space anyway. */
function expectFailure({ code, out, err }: Result, which: RegExp): void {
  expect(out + err).toMatch(which)
  expect(out + err).not.toMatch(/^ +at /m)
  expect(code).toBe(1)
}

function expectIntegrity(project: TestProject): void {
  using db = openStore(project)
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
}

async function expectWholePages(project: TestProject): Promise<number> {
  const { users, links } = await contents(project, 'inside')
  expect(links.map(([, targetId]) => targetId).toSorted()).toEqual([...users.keys()].toSorted())
  return users.size
}

const techniques = [
  {
    disk: 'a limit on the size of files',
    possible: true,
    underStore: (project: TestProject) => limited(project, 'inside', 1800),
    underTarget: (project: TestProject) => limited(project, 'outside', 10_324),
  },
  {
    disk: 'a small file system',
    possible: namespace !== undefined,
    underStore: (project: TestProject) => onSmallDisk(project, 'inside', '.syncline', 2200),
    underTarget: (project: TestProject) => onSmallDisk(project, 'outside', 'out', 20_710),
  },
]

describe.each(techniques)('a full disk, by $disk', ({ possible, underStore, underTarget }) => {
  it.runIf(possible)(
    'under the store fails the run; whole pages stay, and the next run completes them',
    async () => {
      using project = peopleProject()
      project.json('links', 'inside')
      const failed = underStore(project)
      expectFailure(failed, /syncline\.db: the disk (is full|reports an error)/)
      expectIntegrity(project)
      const before = await expectWholePages(project)
      expect(before).toBeGreaterThan(0)
      expect(before).toBeLessThan(people)
      // Created, links made and situations are those of the pages that were kept.
      expect(failed.out).toMatch(new RegExp(`^ +${before} +0 +0 +0 +${before} +\\d+$`, 'm'))
      expect(failed.out).toMatch(new RegExp(`^  ABSENT +${before}$`, 'm'))
      const { state, situationSummary } = project.json<RunObject>('recon', 'inside')
      expect([state, situationSummary.CONFIRMED, situationSummary.ABSENT]).toEqual([
        'SUCCESS',
        before,
        people - before,
      ])
      expect(await expectWholePages(project)).toBe(people)
    },
  )

  it.runIf(possible)(
    'under a target file fails the run; the file is whole, and the next run completes it',
    async () => {
      using project = peopleProject()
      project.json('links', 'outside')
      project.edit('out/out.csv', (header) => `${header}${fillers.join('\n')}\n`)
      expectFailure(underTarget(project), /out\.csv cannot be written: .*(space|large)/)
      const rows = () => {
        const lines = project.read('out/out.csv').split('\n')
        expect(lines.slice(1, 1 + fillers.length)).toEqual(fillers)
        expect(lines.at(-1)).toBe('')
        return lines.slice(1 + fillers.length, -1)
      }
      const before = rows().length
      expect(before).toBeGreaterThan(0)
      expect(before).toBeLessThan(people)
      expect(rows().filter((row) => !wholeRow.test(row))).toEqual([])
      expect(readdirSync(project.path('out'))).toEqual(['out.csv'])
      expectIntegrity(project)
      const { state, progress } = project.json<RunObject>('recon', 'outside')
      expect([state, progress.target.created]).toEqual(['SUCCESS', people - before])
      expect(new Set(rows()).size).toBe(people)
      const { links } = await contents(project, 'outside')
      expect(links).toHaveLength(people)
    },
  )
})
