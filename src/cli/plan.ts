import type { Command } from 'commander'
import type { Mapping } from '../mapping/mapping.ts'
import type { PlanEntry } from '../plan/entry.ts'
import { withApplication } from './application.ts'
import type { Done } from './command-line.ts'
import { example, folders, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { describeEntry, isWorthShowing } from './plan-text.ts'
import { progress } from './progress.ts'
import { style, table } from './style.ts'

interface PlanOptions extends ProjectOptions {
  readonly id?: string
  readonly limit?: number
}

export function addPlan(program: Command, done: Done): void {
  const command = withProjectOptions(program.command('plan <mapping>'))
    .description('Dry run: show what a reconciliation would do, change by change. Writes nothing.')
    .option('--id <sourceId>', 'only this source object')
    .option('--limit <n>', 'show at most n changes (all are counted)', wholeNumber)
    .action(async (mapping: string, options: PlanOptions) => done(await plan(mapping, options)))
  example(command, 'syncline plan managedUser_directoryAccount --project examples/hr-to-directory --limit 20')
}

async function plan(mapping: string, options: PlanOptions): Promise<number> {
  return withApplication(
    { ...folders(options), mapping },
    async ({ reconciliations, administrator, requireMapping }) => {
      const shown = progress(options.json === true)
      const summary = new Map<string, Count>()
      const printer = options.json ? jsonPrinter() : textPrinter(options.limit ?? Number.POSITIVE_INFINITY)
      const onEntry = (entry: PlanEntry) => {
        const key = `${entry.situation ?? '(failed)'}\n${entry.action ?? ''}`
        const { objects, writes } = summary.get(key) ?? { objects: 0, writes: 0 }
        summary.set(key, { objects: objects + 1, writes: writes + Number(entry.writes) })
        printer.entry(entry)
      }
      const request = { mapping, sourceId: options.id, analyze: true, foreseeHooks: true }
      const { run, done } = await reconciliations.start(request, administrator, {
        onEntry,
        onProgress: shown.update,
      })
      await done
      shown.stop()
      if (options.json) printer.end(JSON.stringify(run))
      else printSummary(run.state, summary, hooksNotRun(requireMapping(mapping)), run.problem?.message)
      return run.state === 'SUCCESS' ? 0 : 1
    },
  )
}

/** A plan evaluates the hooks that shape the target, and no other. */
function hooksNotRun({ hooks }: Mapping): readonly string[] {
  return Object.keys(hooks).filter((hook) => !['onMapping', 'onCreate', 'onUpdate'].includes(hook))
}

interface Count {
  readonly objects: number
  /** Those for which something would be written. */
  readonly writes: number
}

/** Entries stream: a plan of any size is one JSON document without being held. */
function jsonPrinter() {
  let separator = '{"entries":[\n'
  return {
    entry(entry: PlanEntry) {
      process.stdout.write(`${separator}${JSON.stringify(entry)}`)
      separator = ',\n'
    },
    end(run: string) {
      process.stdout.write(`${separator.startsWith('{') ? separator : ''}],"run":${run}}\n`)
    },
  }
}

function textPrinter(limit: number) {
  let shown = 0
  return {
    entry(entry: PlanEntry) {
      if (!isWorthShowing(entry) || shown++ >= limit) return
      console.log(describeEntry(entry))
    },
    end() {},
  }
}

function printSummary(
  state: string,
  summary: ReadonlyMap<string, Count>,
  hooks: readonly string[],
  problem: string | undefined,
): void {
  const rows = [...summary].map(([key, { objects, writes }]) => [...key.split('\n'), objects, writes])
  console.log(
    `\n${style('bold', 'Plan')}  ${state === 'SUCCESS' ? 'complete; nothing has been written' : state}`,
  )
  if (problem) console.log(`  ${problem}`)
  if (rows.length > 0) console.log(`\n${table([['Situation', 'Action', 'Objects', 'To write'], ...rows])}`)
  if (hooks.length > 0) {
    console.log(
      `\n  Not run in a plan: ${hooks.join(', ')}. They may change more when the mapping is reconciled.`,
    )
  }
}
