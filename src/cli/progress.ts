import { Presets, SingleBar } from 'cli-progress'
import type { Run } from '../sync/reconciliation/run.ts'
import type { ProjectOptions } from './options.ts'

/**
 * A run when it has ended, its progress shown meanwhile. SIGINT, SIGTERM and the end of the terminal cancel it. `expected`: how many
 * objects it will look at, if that is known better than the run knows it.
 */
export async function atItsEnd(
  { json = false }: ProjectOptions,
  start: (onProgress: (run: Run) => void) => Promise<{ readonly run: Run; readonly done: Promise<unknown> }>,
  expected?: number,
): Promise<Run> {
  const shown = progress(json, expected)
  const { run, done } = await start(shown.update)
  const cancel = () => run.cancel()
  for (const signal of canceling) process.once(signal, cancel)
  await done
  for (const signal of canceling) process.off(signal, cancel)
  shown.stop()
  return run
}

const canceling = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Shows a run's progress on stderr: a bar on a terminal, elsewhere a plain line from time to time. */
export interface Progress {
  update(run: Run): void
  stop(): void
}

/** The time between two plain lines, in milliseconds. */
const quiet = 5_000

export function progress(silent: boolean, expected?: number): Progress {
  if (silent) return { update() {}, stop() {} }
  return process.stderr.isTTY ? bar(expected) : lines(expected)
}

function bar(expected: number | undefined): Progress {
  const format = '  {phase} [{bar}] {percentage}% | {value}/{total} | {rate} objects/s'
  const options = {
    format,
    stream: process.stderr,
    clearOnComplete: false,
    hideCursor: true,
    noTTYOutput: false,
  }
  const single = new SingleBar(options, Presets.rect)
  let started = false
  return {
    update(run) {
      const { done, total } = position(run, expected)
      const facts = { phase: phaseOf(run), rate: rateOf(run) }
      if (!started) single.start(total, done, facts)
      started = true
      single.setTotal(total)
      single.update(done, facts)
    },
    stop() {
      if (started) single.stop()
    },
  }
}

function lines(expected: number | undefined): Progress {
  let last = performance.now()
  return {
    update(run) {
      if (performance.now() - last < quiet) return
      last = performance.now()
      const { done, total } = position(run, expected)
      console.error(`${phaseOf(run)}: ${done} of ${total} objects, ${rateOf(run)}/s`)
    },
    stop() {},
  }
}

export function position(
  { statistics: { processed, totals } }: Pick<Run, 'statistics'>,
  expected?: number,
): { done: number; total: number } {
  const done = processed.source + processed.target
  return { done, total: Math.max(done, expected ?? (totals.source ?? done) + processed.target) }
}

function phaseOf({ stage }: Run): string {
  return stage === 'ACTIVE_RECONCILING_TARGET' ? 'targets' : 'sources'
}

function rateOf({ started, statistics }: Run): number {
  const seconds = Math.max(0.001, (Date.now() - started.getTime()) / 1000)
  return Math.round((statistics.processed.source + statistics.processed.target) / seconds)
}
