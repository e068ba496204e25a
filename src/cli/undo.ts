import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Digesting } from '../plan/digesting.ts'
import { reportOf } from '../plan/report.ts'
import { printReport } from '../plan/report-formats.ts'
import { startPlan } from '../sync/plans/make-plan.ts'
import { writePlanFile } from '../sync/plans/plan-file.ts'
import { mappingOf } from '../sync/undo/records.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type FilterOptions, filtersOf, withFilters } from './plan-filters.ts'
import { printKept, printNext } from './run-summary.ts'

interface UndoOptions extends ProjectOptions, FilterOptions {
  readonly out?: string
}

export function addUndo(program: Command, exit: Exit): void {
  const command = withFilters(withProjectOptions(program.command('undo <run>')))
    .description('Plan the way back from a run, from what is on record. Writes nothing: syncline apply does.')
    .option('--out <file>', 'keep the plan in a file, for review and for syncline apply')
    .action(exit(undo))
  example(command, 'syncline undo 0198b2c4-… --out back.ndjson', 'syncline apply back.ndjson')
}

async function undo(runId: string, options: UndoOptions): Promise<number> {
  return withApplication(options, async ({ repository, reconciliations, administrator, requireMapping }) => {
    const mapping = await mappingOf(repository, runId)
    requireMapping(mapping)
    const filters = filtersOf(options)
    await using file =
      options.out === undefined ? undefined : await writePlanFile(resolve(options.out), [filters])
    const digesting = new Digesting()
    const sink = file ?? { add() {}, async flush() {} }
    const asked = { mapping, undoes: runId, filters }
    const { run, header } = await startPlan(reconciliations, asked, administrator, () => sink, {
      onLine: (line) => digesting.add(line),
    })
    const facts = await header
    if (!facts) throw run.problem ?? new Error(`the run that looks for the way back ended as ${run.state}`)
    await file?.finish(facts)
    const digest = { header: facts, ...digesting.digest(), behind: [] }
    if (options.json) console.log(JSON.stringify(digest, null, 2))
    else {
      process.stdout.write(printReport(reportOf(digest), 'text'))
      const { out } = options
      if (out !== undefined) printKept('To look at these steps, and to go them', facts, out, options)
      else printNext('To keep it', options, ['undo', runId, '--out', 'back.ndjson'])
    }
    return 0
  })
}
