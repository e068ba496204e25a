import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type PlanFilters, type PlanLine, planFilter } from '../plan/plan-line.ts'
import { reportOf } from '../plan/report.ts'
import { printReport, type ReportFormat, reportFormats } from '../plan/report-formats.ts'
import { digestPlan } from '../sync/plans/digest-plan.ts'
import { readPlanFile } from '../sync/plans/plan-file.ts'
import type { PlanSource } from '../sync/plans/plan-source.ts'
import { storedPlan } from '../sync/plans/stored-plan.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type FilterOptions, filtersOf, filterWords, withFilters } from './plan-filters.ts'
import { describeEntry, entryPrinter, isWorthShowing } from './plan-text.ts'
import { printNext } from './run-summary.ts'

interface ShowOptions extends ProjectOptions, FilterOptions {
  readonly each?: boolean
  readonly format: ReportFormat
}

export function addShow(program: Command, exit: Exit): void {
  const command = withFilters(withProjectOptions(program.command('show <plan>')))
    .description('A plan for those who approve it: what is alike is one line, what is rare comes first.')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(reportFormats).default('text' as const),
    )
    .option('--each', 'one by one what would be written or fails, with every attribute')
    .action(exit(show))
  example(
    command,
    'syncline show plan.ndjson',
    'syncline show plan.ndjson --format html > plan.html',
    'syncline show 0198b2c4-… --project examples/hr-to-directory',
  )
}

const likeRunId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A file, or the run of a stored plan. */
async function show(plan: string, options: ShowOptions): Promise<number> {
  const isStored = likeRunId.test(plan) && !existsSync(resolve(plan))
  if (!isStored) return print(await readPlanFile(resolve(plan)), plan, options)
  return withApplication(options, async ({ repository }) =>
    print(await storedPlan(repository.runs, plan), plan, options),
  )
}

async function print(source: PlanSource, plan: string, options: ShowOptions): Promise<number> {
  const filters = filtersOf(options)
  if (options.each) return printEach(source, filters, options)
  const digest = await digestPlan(source, filters)
  if (options.json) console.log(JSON.stringify(digest, null, 2))
  else process.stdout.write(printReport(reportOf(digest), options.format))
  if (!options.json && options.format === 'text' && digest.writes + digest.refusals.length > 0)
    printNext('One by one', options, ['show', plan, ...filterWords(options), '--each'])
  return 0
}

/** What would be written or fails, one by one. */
async function printEach(source: PlanSource, filters: PlanFilters, { json }: ShowOptions): Promise<number> {
  const wanted = planFilter(filters)
  const all = json
    ? entryPrinter()
    : { entry: (line: PlanLine) => console.log(describeEntry(line)), end() {} }
  for (const phase of ['source', 'target'] as const)
    for await (const page of source.lines(phase))
      for (const line of page) if (wanted(line) && isWorthShowing(line)) all.entry(line)
  all.end()
  return 0
}
