import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeProject, mappingName } from './project.ts'

/** Programs that are measured, each in a process of its own. */
export interface Measurement {
  readonly seconds: number
  /** Of the process, without its script host: what its neighbours hardly change. */
  readonly cpu: number
  readonly peakMiB: number
}

export const bin = join(import.meta.dirname, '../bin/syncline.js')

/** Noise only ever adds time, so of several rounds the fastest is nearest to the truth; memory is the worst seen. */
export function fastest(measurements: readonly Measurement[]): Measurement {
  return {
    seconds: Math.min(...measurements.map(({ seconds }) => seconds)),
    cpu: Math.min(...measurements.map(({ cpu }) => cpu)),
    peakMiB: Math.max(...measurements.map(({ peakMiB }) => peakMiB)),
  }
}

export interface Beside {
  readonly floor: Measurement
  readonly syncline: Measurement
}

export interface Ratio extends Beside {
  readonly ratio: number
  readonly cpuRatio: number
}

export function ratioOf(all: readonly Beside[]): Ratio {
  const floor = fastest(all.map((one) => one.floor))
  const syncline = fastest(all.map((one) => one.syncline))
  return { floor, syncline, ratio: syncline.seconds / floor.seconds, cpuRatio: syncline.cpu / floor.cpu }
}

/** Makes a project and loads its people as managed objects. Returns the folder of its data. */
export function loadPeople(folder: string, size: number): string {
  makeProject(folder, size)
  const data = join(folder, 'store')
  const recon = [bin, 'recon', mappingName, '--project', folder, '--data', data, '--json']
  timed(folder, recon, checkedFor('ABSENT', size))
  return data
}

export function checkedFor(situation: string, size: number): (output: string) => void {
  return (output) => {
    const { state, situationSummary, statusSummary } = JSON.parse(output)
    if (state !== 'SUCCESS' || situationSummary[situation] !== size || statusSummary.FAILURE !== 0) {
      throw new Error(`the run did not do its work: ${output}`)
    }
  }
}

/** A program of Node, with `folder` for what it leaves behind; `check` looks at what it printed. */
export function timed(
  folder: string,
  args: readonly string[],
  check: (output: string) => void = () => {},
): Measurement {
  const peakFile = join(folder, 'peak')
  const preload = ['--import', join(import.meta.dirname, 'peak-memory.ts')]
  const env = { ...process.env, BENCH_PEAK_FILE: peakFile }
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [...preload, ...args], {
    env,
    encoding: 'utf8',
  })
  const seconds = (performance.now() - start) / 1000
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  check(stdout)
  const [peak, cpu] = JSON.parse(readFileSync(peakFile, 'utf8')) as [number, number]
  return { seconds, cpu: cpu / 1e6, peakMiB: peak / 1024 }
}
