import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { PlanDigest } from '../plan/digest.ts'
import type { PlanFilters } from '../plan/plan-line.ts'
import { reportOf } from '../plan/report.ts'
import { printReport, type ReportFormat, reportFormats } from '../plan/report-formats.ts'
import { digestPlan } from '../sync/plans/digest-plan.ts'
import { readPlanFile } from '../sync/plans/plan-file.ts'
import { storedPlan } from '../sync/plans/stored-plan.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type FilterOptions, filtersOf, withFilters } from './plan-filters.ts'

interface ShowOptions extends ProjectOptions, FilterOptions {
  readonly format: ReportFormat
}

export function addShow(program: Command, exit: Exit): void {
  const command = withFilters(withProjectOptions(program.command('show <plan>')))
    .description('A plan for those who approve it: what is alike is one line, what is rare comes first.')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(reportFormats).default('text' as const),
    )
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
  const filters = filtersOf(options)
  const digest =
    likeRunId.test(plan) && !existsSync(resolve(plan))
      ? await storedDigest(plan, filters, options)
      : await digestPlan(await readPlanFile(resolve(plan)), filters)
  if (options.json) console.log(JSON.stringify(digest, null, 2))
  else process.stdout.write(printReport(reportOf(digest), options.format))
  return 0
}

async function storedDigest(
  runId: string,
  filters: PlanFilters,
  options: ProjectOptions,
): Promise<PlanDigest> {
  return withApplication(options, async ({ repository }) =>
    digestPlan(await storedPlan(repository.runs, runId), filters),
  )
}
