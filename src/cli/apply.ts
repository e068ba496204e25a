import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { PlanEntry } from '../plan/entry.ts'
import { readPlanFile } from '../sync/plans/plan-file.ts'
import type { Run } from '../sync/reconciliation/run.ts'
import { withMapping } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { type GuardOptions, overridesOf, withGuard, withMaxFailures } from './overrides.ts'
import { type FilterOptions, filtersOf, filterWords, withFilters } from './plan-filters.ts'
import { atItsEnd } from './progress.ts'
import { exitCodeOf, printNext, printRun } from './run-summary.ts'
import { style } from './style.ts'

interface ApplyOptions extends ProjectOptions, FilterOptions, GuardOptions {
  readonly limit?: number
}

export function addApply(program: Command, exit: Exit): void {
  const command = withMaxFailures(withGuard(withFilters(withProjectOptions(program.command('apply <plan>')))))
    .description('Perform a plan: exactly what it says, and only where it still holds.')
    .option('--limit <n>', 'perform at most n entries', wholeNumber)
    .action(exit(apply))
  example(command, 'syncline apply plan.ndjson --only-action CREATE', 'syncline apply plan.ndjson')
}

/** How many skipped entries are printed. */
const named = 20

async function apply(file: string, options: ApplyOptions): Promise<number> {
  const plan = await readPlanFile(resolve(file))
  const { mapping } = plan.header
  return withMapping(options, mapping, async ({ reconciliations, administrator }) => {
    const left: string[] = []
    const overrides = overridesOf(options)
    const request = { mapping, plan, planFilters: filtersOf(options, options.limit), overrides }
    const isWhole = Object.keys(request.planFilters).length === 0
    const run = await atItsEnd(
      options,
      (onProgress) =>
        reconciliations.start(request, administrator, {
          onEntry(entry, { stale }) {
            if (stale && !stale.done && left.length < named) left.push(`${idsOf(entry)}: ${stale.why}`)
          },
          onProgress,
        }),
      isWhole ? plan.header.entries : undefined,
    )
    if (options.json) console.log(JSON.stringify(run, null, 2))
    else print(run, left, { file, undoes: plan.header.undoes, options })
    const { stale = 0 } = run.planned ?? {}
    const code = exitCodeOf(run)
    return code === 0 && stale > 0 ? 1 : code
  })
}

function idsOf({ action, sourceId, targetId }: PlanEntry): string {
  return `${action}  ${sourceId ?? '(no source)'} → ${targetId ?? '(new)'}`
}

interface Performed {
  readonly file: string
  readonly undoes: string | undefined
  readonly options: ApplyOptions
}

function print(run: Run, left: readonly string[], { file, undoes, options }: Performed): void {
  printRun(run, options)
  if (run.problem?.code === 'GUARD') {
    const approve = ['apply', file, ...filterWords(options), '--override-guard', '--reason', '…']
    printNext('To look at it, and to approve it as it is', options, ['show', file], approve)
  }
  if (!run.planned) return
  const { performed, failed, stale, done, unchanged } = run.planned
  const counts = [
    `${performed} entries performed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(unchanged > 0 ? [`${unchanged} with nothing to do`] : []),
  ]
  console.log(`\n  ${[...counts, `${done} done already`, `${stale} left out`].join(', ')}`)
  if (performed + failed + stale === 0)
    console.log('  There is nothing to do: the targets are as the plan wants them.')
  if (left.length === 0) return
  console.log(`\n  ${style('yellow', 'Left out')}, because it is not as the plan found it:`)
  for (const line of left) console.log(`    ${line}`)
  if (stale > left.length) console.log(`    … and ${stale - left.length} more`)
  const again = [...(undoes === undefined ? ['plan', run.mapping] : ['undo', undoes]), '--out', file]
  printNext('What is to be done now, as a new plan', options, again)
}
