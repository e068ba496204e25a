/**
 * Syncline against the floor (floor.ts), in turn, in processes of their own, on data made here: with an audit entry and
 * an association for every object on both sides. Then a plan against a dry run (dry-run.ts), before the first load,
 * where every object is an entry. Prints seconds, objects per second, the ratio to the floor and peak memory; the
 * last line is the same as JSON. The ratio is what
 * counts: both sides meet the same machine, the same disk and the same neighbours. Then what the schema that OpenIDM
 * ships costs beside a plain one, and encryption behind implicit synchronization; and what a plan costs that judges
 * policies, beside a plan of the same schema without any. Then reading a directory, beside `ldapsearch` (ldap.ts), loading
 * one, and comparing it again (directory.ts), and reading and loading a table of PostgreSQL (database.ts).
 *
 *     npm run bench [-- --sizes 10000,100000] [--rounds 3] [--only policies|ldap|database]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type DatabaseMeasurement, measureDatabase } from './database.ts'
import { type DirectoryMeasurement, measureDirectory } from './directory.ts'
import { measureLdapReading } from './ldap.ts'
import { makeProject, mappingName, type Variant, writeExport } from './project.ts'
import { bin, checkedFor, fastest, type Measurement, timed } from './timed.ts'

type Job = 'first load' | 'unchanged second run'
type Side = 'floor' | 'syncline'

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const sizes = values.sizes.split(',').map(Number)
const rounds = Number(values.rounds)
const floor = join(import.meta.dirname, 'floor.ts')

const dryRun = join(import.meta.dirname, 'dry-run.ts')

const all = values.only === undefined
const results = all ? sizes.flatMap(measure) : []
const plans = all ? sizes.map(measurePlan) : []
const schemas = all
  ? sizes.flatMap((size) => [
      measureSchema(size, 'stock', 'plain'),
      measureSchema(size, 'flowing, encrypted', 'flowing'),
    ])
  : []
const policies = all || values.only === 'policies' ? sizes.flatMap(measurePolicies) : []
const directories = all || values.only === 'ldap' ? [await measureLdapReading(20_000, rounds)] : []
const loadedDirectories = all || values.only === 'ldap' ? [await measureDirectory(20_000, rounds)] : []
const databases = all || values.only === 'database' ? [await measureDatabase(20_000, rounds)] : []
print()

/** Plans of a managed type with policies and of the same type without, in turn. Nothing is written after the first load. */
function measurePolicies(size: number) {
  const sides = (['judged', 'not judged'] as const).map((variant) => {
    const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
    makeProject(folder, size, variant)
    return { folder, measured: { creates: [], unchanged: [], updates: [] } as Record<string, Measurement[]> }
  })
  const plan = (what: string, situation: string) => {
    for (let round = 0; round < rounds; round++)
      for (const { folder, measured } of sides) measured[what]?.push(timedPlan(folder, situation, size))
  }
  try {
    plan('creates', 'ABSENT')
    for (const { folder } of sides) timed(folder, reconOf(folder), checkedFor('ABSENT', size))
    plan('unchanged', 'CONFIRMED')
    for (const { folder } of sides) writeExport(folder, size, true)
    plan('updates', 'CONFIRMED')
    return Object.keys(sides[0]?.measured ?? {}).map((entries) => {
      const [judged, plain] = sides.map(({ measured }) => fastest(measured[entries] ?? []))
      if (!judged || !plain) throw new Error('nothing was measured')
      return {
        size,
        entries,
        judged,
        plain,
        ratio: judged.seconds / plain.seconds,
        cpuRatio: judged.cpu / plain.cpu,
      }
    })
  } finally {
    for (const { folder } of sides) rmSync(folder, { recursive: true, force: true })
  }
}

function timedPlan(folder: string, situation: string, size: number): Measurement {
  const out = ['--out', join(folder, 'plan.ndjson'), '--json']
  const plan = [bin, 'plan', mappingName, '--project', folder, '--data', join(folder, 'data-0'), ...out]
  return timed(folder, plan, (output) => checkedFor(situation, size)(JSON.stringify(JSON.parse(output).run)))
}

function reconOf(folder: string): readonly string[] {
  return [bin, 'recon', mappingName, '--project', folder, '--data', join(folder, 'data-0'), '--json']
}

/** Rounds of one after the other: what the schema costs. */
function measureSchema(size: number, variant: Variant, than: Variant) {
  const all = Array.from({ length: rounds }, () => ({
    own: schemaRound(size, variant),
    other: schemaRound(size, than),
  }))
  const ratioOf = (job: Job) =>
    fastest(all.map(({ own }) => own[job])).seconds / fastest(all.map(({ other }) => other[job])).seconds
  return {
    size,
    variant,
    than,
    'first load': ratioOf('first load'),
    'unchanged second run': ratioOf('unchanged second run'),
  }
}

function schemaRound(size: number, variant: Variant): Record<Job, Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
  try {
    makeProject(folder, size, variant)
    const recon = reconOf(folder)
    return {
      'first load': timed(folder, recon, checkedFor('ABSENT', size)),
      'unchanged second run': timed(folder, recon, checkedFor('CONFIRMED', size)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function measurePlan(size: number) {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
  try {
    makeProject(folder, size)
    const all = Array.from({ length: rounds }, (_, round) => {
      const data = join(folder, `data-${round}`)
      const file = join(folder, 'plan.ndjson')
      const plan = [bin, 'plan', mappingName, '--project', folder, '--data', data, '--out', file, '--json']
      const dry = timed(folder, [dryRun, folder, data], checkedFor('ABSENT', size))
      const planned = timed(folder, plan, (output) =>
        checkedFor('ABSENT', size)(JSON.stringify(JSON.parse(output).run)),
      )
      return { dry, planned }
    })
    const dryRunTime = fastest(all.map(({ dry }) => dry))
    const plan = fastest(all.map(({ planned }) => planned))
    return { size, dryRun: dryRunTime, plan, ratio: plan.seconds / dryRunTime.seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function measure(size: number) {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-bench-'))
  try {
    makeProject(folder, size)
    const all = Array.from({ length: rounds }, (_, round) => oneRound(folder, size, round))
    return (['first load', 'unchanged second run'] as const).map((job) => {
      const of = (side: Side) => fastest(all.map((measured) => measured[side][job]))
      return {
        size,
        job,
        floor: of('floor'),
        syncline: of('syncline'),
        ratio: of('syncline').seconds / of('floor').seconds,
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function oneRound(folder: string, size: number, round: number): Record<Side, Record<Job, Measurement>> {
  const store = join(folder, `floor-${round}.db`)
  const data = join(folder, `data-${round}`)
  const recon = [bin, 'recon', mappingName, '--project', folder, '--data', data, '--associations', '--json']
  return {
    floor: {
      'first load': timed(folder, [floor, 'load', folder, store]),
      'unchanged second run': timed(folder, [floor, 'unchanged', folder, store]),
    },
    syncline: {
      'first load': timed(folder, recon, checkedFor('ABSENT', size)),
      'unchanged second run': timed(folder, recon, checkedFor('CONFIRMED', size)),
    },
  }
}

function print(): void {
  console.log('objects  job                    side      seconds  objects/s  peak MiB  ratio')
  for (const { size, job, ratio, ...sides } of results) {
    for (const side of ['floor', 'syncline'] as const) {
      const { seconds, peakMiB } = sides[side]
      const cells = [
        String(size).padStart(7),
        job.padEnd(21),
        side.padEnd(8),
        seconds.toFixed(2).padStart(8),
        String(Math.round(size / seconds)).padStart(9),
        peakMiB.toFixed(0).padStart(8),
        side === 'syncline' ? ratio.toFixed(2).padStart(5) : '',
      ]
      console.log(cells.join('  '))
    }
  }
  for (const job of ['first load', 'unchanged second run'] as const) growth(job)
  for (const { size, dryRun, plan, ratio } of plans) {
    console.log(
      `${size} entries: a dry run takes ${dryRun.seconds.toFixed(2)} s (${dryRun.peakMiB.toFixed(0)} MiB), ` +
        `with a plan ${plan.seconds.toFixed(2)} s (${plan.peakMiB.toFixed(0)} MiB): ${ratio.toFixed(2)} times`,
    )
  }
  for (const { size, variant, than, ...ratios } of schemas)
    console.log(
      `${size} users, ${variant} against ${than}: first load ${ratios['first load'].toFixed(2)} times, ` +
        `unchanged ${ratios['unchanged second run'].toFixed(2)} times`,
    )
  for (const { size, entries, judged, plain, ratio, cpuRatio } of policies)
    console.log(
      `${size} ${entries}: a plan that judges policies takes ${judged.seconds.toFixed(2)} s, without any ${plain.seconds.toFixed(2)} s: ` +
        `${ratio.toFixed(2)} times (${cpuRatio.toFixed(2)} of CPU time)`,
    )
  for (const { size, floor, syncline, ratio, cpuRatio } of directories)
    console.log(
      `${size} entries of a directory are read in ${syncline.seconds.toFixed(2)} s, by ldapsearch in ${floor.seconds.toFixed(2)} s: ` +
        `${ratio.toFixed(2)} times (${cpuRatio.toFixed(2)} of CPU time)`,
    )
  printOutside('entries of a directory', loadedDirectories)
  printOutside('rows of a table', databases)
  console.log(
    JSON.stringify({ rounds, results, plans, schemas, policies, directories, loadedDirectories, databases }),
  )
}

function printOutside(what: string, measured: readonly (DirectoryMeasurement | DatabaseMeasurement)[]): void {
  for (const { size, ...jobs } of measured)
    for (const [job, { floor, syncline, ratio, cpuRatio }] of Object.entries(jobs))
      console.log(
        `${size} ${what}, ${job}: ${syncline.seconds.toFixed(2)} s (${syncline.peakMiB.toFixed(0)} MiB), the floor ` +
          `${floor.seconds.toFixed(2)} s: ${ratio.toFixed(2)} times (${cpuRatio.toFixed(2)} of CPU time)`,
      )
}

/** How much more time the largest size takes than the smallest. */
function growth(job: Job): void {
  const own = results.filter((result) => result.job === job)
  const [smallest, largest] = [own[0], own.at(-1)]
  if (!smallest || !largest || smallest === largest) return
  const times = largest.syncline.seconds / smallest.syncline.seconds
  console.log(
    `${job}: ${largest.size / smallest.size} times the objects take ${times.toFixed(1)} times the time`,
  )
}
