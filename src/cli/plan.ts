import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { Problem } from '../model/problem.ts'
import type { Application } from '../server/application.ts'
import { type PlanFileWriter, writePlanFile } from '../sync/plans/plan-file.ts'
import { makePlan, type PlannedMapping, type PlanRequest } from '../sync/plans/planned-mapping.ts'
import type { Rehearsal } from '../sync/plans/rehearse.ts'
import { withMapping } from './application.ts'
import { reportFailure } from './failure.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { type OverrideOptions, overridesOf, withOverrides } from './overrides.ts'
import { type FilterOptions, filtersOf, withFilters } from './plan-filters.ts'
import { type PlanPrinter, planPrinter } from './plan-printer.ts'
import { progress } from './progress.ts'
import { exitCodeOf } from './run-summary.ts'

interface PlanOptions extends ProjectOptions, OverrideOptions, FilterOptions {
  readonly id?: string
  readonly limit?: number
  readonly out?: string
  readonly flows?: boolean
  readonly all?: boolean
  readonly detailedExitcode?: boolean
}

export function addPlan(program: Command, exit: Exit): void {
  const command = withFilters(withOverrides(withProjectOptions(program.command('plan [mapping]'))))
    .description('Dry run: show what a reconciliation would do, change by change. Writes nothing.')
    .option('--out <file>', 'keep the plan in a file, for review and for syncline apply; with --all a folder')
    .option('--id <sourceId>', 'only this source object')
    .option(
      '--flows',
      'and what the mappings behind would do with its changes: it is performed in a rehearsal',
    )
    .option('--all', 'every mapping in its order, each on what those before it would leave')
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
    'syncline plan --all --project examples/hr-to-directory --limit 20',
  )
}

/** With `--detailed-exitcode` 2 says that there are changes, so an error of any kind is 1. */
async function planned(mapping: string | undefined, options: PlanOptions): Promise<number> {
  const work = () => (options.all ? planAll(mapping, options) : planOne(mapping, options))
  if (!options.detailedExitcode) return work()
  return work().catch((error) => reportFailure(error, options) && 1)
}

async function planOne(mapping: string | undefined, options: PlanOptions): Promise<number> {
  if (mapping === undefined)
    throw new Problem('BAD_REQUEST', "missing required argument 'mapping'", {
      hint: 'Name a mapping, or plan all of them with --all.',
    })
  return withMapping(options, mapping, async (application) => {
    await using rehearsal = options.flows ? await application.rehearse() : undefined
    await using file = await fileFor(options.out, options, application)
    const printer = planPrinter(options, application, { isKept: file !== undefined })
    const made = await make(application, application, mapping, options, { rehearsal, file, printer })
    printer.end(made, options.out)
    return codeOf([made], options)
  })
}

/** Each on the result of those before it, which there is only in the rehearsal. */
async function planAll(mapping: string | undefined, options: PlanOptions): Promise<number> {
  const refused = Object.entries({ mapping, '--id': options.id }).find(([, value]) => value !== undefined)
  if (refused)
    throw new Problem('BAD_REQUEST', `--all plans every mapping whole: it takes no ${refused[0]}`, {
      hint: 'Leave out either of them.',
    })
  return withMapping(options, undefined, async (application) => {
    await using rehearsal = await application.rehearse()
    if (options.out !== undefined) await mkdir(resolve(options.out), { recursive: true, mode: 0o700 })
    const printer = planPrinter(options, application, {
      isKept: options.out !== undefined,
      of: application.mappings.length,
    })
    const made: PlannedMapping[] = []
    for (const [place, name] of application.mappings.entries()) {
      const out = options.out && join(options.out, `${place + 1}-${name}.ndjson`)
      await using file = await fileFor(out, options, application)
      printer.begin(name, place)
      const after = application.mappings.slice(0, place)
      const one = await make(rehearsal, application, name, options, { rehearsal, file, printer, after })
      printer.end(one, out)
      made.push(one)
    }
    printer.close()
    return codeOf(made, options)
  })
}

async function fileFor(
  out: string | undefined,
  options: PlanOptions,
  { mappings }: Application,
): Promise<PlanFileWriter | undefined> {
  if (out === undefined) return undefined
  const request = [options.id ?? '', overridesOf(options), filtersOf(options, options.limit)]
  const told = options.flows || options.all ? mappings : []
  return writePlanFile(resolve(out), [...request, ...told], { behind: told.length })
}

interface Making {
  /** Absent: what the mappings behind would do is only counted. */
  readonly rehearsal: Rehearsal | undefined
  readonly file: PlanFileWriter | undefined
  readonly printer: PlanPrinter
  readonly after?: readonly string[]
}

async function make(
  { reconciliations }: Pick<Application, 'reconciliations'>,
  { administrator }: Application,
  mapping: string,
  options: PlanOptions,
  { rehearsal, file, printer, after }: Making,
): Promise<PlannedMapping> {
  const shown = progress(options.json === true)
  const request: PlanRequest = {
    ...{ mapping, sourceId: options.id, overrides: overridesOf(options) },
    filters: filtersOf(options, file ? options.limit : undefined),
  }
  const made = await makePlan(reconciliations, request, administrator, {
    ...{ rehearsal, after, onProgress: shown.update, ...(file && { sink: () => file }) },
    onLine: (line) => printer.entry(line),
  })
  shown.stop()
  if (made.facts) await file?.finish(made.facts)
  return made
}

/** What follows was asked for, and is not known. */
function isHalfRehearsed({ facts }: PlannedMapping): boolean {
  return facts?.rehearsed?.broken !== undefined
}

/** The worst of them. */
function codeOf(made: readonly PlannedMapping[], { detailedExitcode }: PlanOptions): number {
  const isFailed = ({ run: { outcome } }: PlannedMapping) =>
    outcome !== 'COMPLETED' && outcome !== 'COMPLETED_WITH_FAILURES'
  if (made.some(isFailed) || made.some(isHalfRehearsed)) return 1
  if (!detailedExitcode) return 0
  if (made.some(({ writes }) => writes > 0)) return 2
  return Math.max(0, ...made.map(({ run }) => exitCodeOf(run)))
}
