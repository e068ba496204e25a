import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { PlanLine } from '../plan/plan-line.ts'
import { flowOnFact, notForeseenFact } from '../plan/report.ts'
import type { Application } from '../server/application.ts'
import { startPlan } from '../sync/plans/make-plan.ts'
import { type PlanFileWriter, writePlanFile } from '../sync/plans/plan-file.ts'
import type { PlanSink } from '../sync/plans/plan-source.ts'
import type { Run } from '../sync/reconciliation/run.ts'
import { withMapping } from './application.ts'
import { reportFailure } from './failure.ts'
import { hintHere } from './named-command.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { type OverrideOptions, overridesOf, withOverrides } from './overrides.ts'
import { type FilterOptions, filtersOf, withFilters } from './plan-filters.ts'
import { describeEntry, entryPrinter, isWorthShowing } from './plan-text.ts'
import { progress } from './progress.ts'
import { exitCodeOf, printFailures, printKept, printUnread } from './run-summary.ts'
import { style, table } from './style.ts'

interface PlanOptions extends ProjectOptions, OverrideOptions, FilterOptions {
  readonly id?: string
  readonly limit?: number
  readonly out?: string
  readonly detailedExitcode?: boolean
}

export function addPlan(program: Command, exit: Exit): void {
  const command = withFilters(withOverrides(withProjectOptions(program.command('plan <mapping>'))))
    .description('Dry run: show what a reconciliation would do, change by change. Writes nothing.')
    .option('--out <file>', 'keep the plan in a file, for review and for syncline apply')
    .option('--id <sourceId>', 'only this source object')
    .option(
      '--limit <n>',
      'show at most n changes (all are counted); with --out, keep at most n',
      wholeNumber,
    )
    .option(
      '--detailed-exitcode',
      '0: nothing to change, 1: error, 2: there are changes, 3: objects would fail',
    )
    .action(exit(planned))
  example(
    command,
    'syncline plan managedUser_directoryAccount --project examples/hr-to-directory --limit 20',
    'syncline plan managedUser_directoryAccount --out plan.ndjson --only-action CREATE,UPDATE',
  )
}

/** With `--detailed-exitcode` 2 says that there are changes, so an error of any kind is 1. */
async function planned(mapping: string, options: PlanOptions): Promise<number> {
  if (!options.detailedExitcode) return plan(mapping, options)
  return plan(mapping, options).catch((error) => reportFailure(error, options) && 1)
}

async function plan(mapping: string, options: PlanOptions): Promise<number> {
  return withMapping(options, mapping, async (application) => {
    if (options.out === undefined) return make(application, mapping, options, undefined)
    const request = [options.id ?? '', overridesOf(options), filtersOf(options, options.limit)]
    await using file = await writePlanFile(resolve(options.out), request)
    return await make(application, mapping, options, file)
  })
}

async function make(
  { reconciliations, administrator }: Application,
  mapping: string,
  options: PlanOptions,
  file: PlanFileWriter | undefined,
): Promise<number> {
  const shown = progress(options.json === true)
  const summary = new Map<string, Count>()
  const printer = printerFor(options, file)
  const request = {
    mapping,
    sourceId: options.id,
    overrides: overridesOf(options),
    filters: filtersOf(options, file ? options.limit : undefined),
  }
  const { run, header } = await startPlan(reconciliations, request, administrator, () => file ?? nowhere, {
    onLine(line) {
      const key = `${line.situation ?? '(failed)'}\n${line.action ?? ''}`
      const { objects, writes } = summary.get(key) ?? { objects: 0, writes: 0 }
      summary.set(key, { objects: objects + 1, writes: writes + Number(line.writes) })
      printer.entry(line)
    },
    onProgress: shown.update,
  })
  const facts = await header
  shown.stop()
  if (facts) await file?.finish(facts)
  if (options.json) printer.end(JSON.stringify(run))
  else {
    printSummary(run, summary, options)
    printUnread(run)
    printFailures(run, options)
    for (const flow of facts?.flowsOn ?? []) console.log(`\n  ${flowOnFact(flow)}`)
    if (facts?.notForeseen) console.log(`\n  ${notForeseenFact(facts.notForeseen)}`)
    for (const excess of facts?.guard.exceeded ?? [])
      console.log(`\n  ${style('red', 'The guard would stop this run:')} ${excess}`)
    if (facts && options.out !== undefined)
      printKept(
        `${facts.entries} entries are in ${options.out}. To look at them, and to perform them`,
        facts,
        options.out,
        options,
      )
  }
  const failed = run.outcome !== 'COMPLETED' && run.outcome !== 'COMPLETED_WITH_FAILURES'
  if (!options.detailedExitcode || failed) return failed ? 1 : 0
  if (summary.values().some(({ writes }) => writes > 0)) return 2
  return exitCodeOf(run)
}

const nowhere: PlanSink = { add() {}, async flush() {} }

interface Count {
  readonly objects: number
  /** How many of them would write something. */
  readonly writes: number
}

interface Printer {
  entry(line: PlanLine): void
  end(run: string): void
}

/** With a file, entries are written there, and only the counts are printed. */
function printerFor({ json, limit }: PlanOptions, file: PlanFileWriter | undefined): Printer {
  if (json) return file ? { entry() {}, end: (run) => console.log(`{"run":${run}}`) } : jsonPrinter()
  let left = file ? 0 : (limit ?? Number.POSITIVE_INFINITY)
  return {
    entry(line) {
      if (isWorthShowing(line) && left-- > 0) console.log(describeEntry(line))
    },
    end() {},
  }
}

function jsonPrinter(): Printer {
  const { entry, end } = entryPrinter()
  return { entry, end: (run) => end(`,"run":${run}`) }
}

function printSummary(
  { state, problem }: Run,
  summary: ReadonlyMap<string, Count>,
  where: PlanOptions,
): void {
  const rows = [...summary].map(([key, { objects, writes }]) => [...key.split('\n'), objects, writes])
  console.log(
    `\n${style('bold', 'Plan')}  ${state === 'SUCCESS' ? 'complete; nothing has been written' : state}`,
  )
  if (problem) console.log(`  ${problem.message}\n  ${style('dim', hintHere(problem.hint, where))}`)
  if (rows.length > 0) console.log(`\n${table([['Situation', 'Action', 'Objects', 'To write'], ...rows])}`)
}
