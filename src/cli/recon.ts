import type { Command } from 'commander'
import { Problem } from '../model/problem.ts'
import { mappingOfRun } from '../sync/reconciliation/retry.ts'
import { withMapping } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type OverrideOptions, overridesOf, withMaxFailures, withOverrides } from './overrides.ts'
import { atItsEnd } from './progress.ts'
import { exitCodeOf, printRun } from './run-summary.ts'

interface ReconOptions extends ProjectOptions, OverrideOptions {
  readonly id?: string
  readonly associations?: boolean
  readonly retry?: string
  readonly cause?: string
}

export function addRecon(program: Command, exit: Exit): void {
  const command = withMaxFailures(withOverrides(withProjectOptions(program.command('recon [mapping]'))))
    .description('Reconcile a mapping: compare both sides and bring the target in line.')
    .option('--id <sourceId>', 'only this source object')
    .option('--retry <run>', 'only what failed in that run')
    .option('--cause <id>', 'with --retry: only what failed of that cause, as the run names it')
    .option('--associations', 'keep what became of each object, for recon/assoc')
    .action(exit(recon))
  example(command, 'syncline recon hrAccount_managedUser --project examples/hr-to-directory')
}

async function recon(name: string | undefined, options: ReconOptions): Promise<number> {
  const { id, retry, cause, associations } = options
  if (name === undefined && retry === undefined)
    throw new Problem('BAD_REQUEST', "missing required argument 'mapping'")
  if (id !== undefined && retry !== undefined)
    throw new Problem('BAD_REQUEST', '--retry is about all that failed in a run: it takes no --id')
  return withMapping(options, name, async (application) => {
    const { reconciliations, administrator, repository, requireMapping } = application
    const mapping = name ?? (await mappingOfRun(repository.audit, retry ?? ''))
    requireMapping(mapping)
    const request = {
      mapping,
      sourceId: id,
      ...(retry !== undefined && { retry: { runId: retry, cause } }),
      overrides: overridesOf(options),
      persistAssociations: associations === true,
    }
    const run = await atItsEnd(options, (onProgress) =>
      reconciliations.start(request, administrator, { onProgress }),
    )
    if (options.json) console.log(JSON.stringify(run, null, 2))
    else printRun(run, options)
    const { source, target } = run.statistics.processed
    if (!options.json && retry !== undefined && source + target === 0)
      console.log(`\n  Nothing failed in run ${retry}${cause === undefined ? '' : ` of the cause ${cause}`}.`)
    return exitCodeOf(run)
  })
}
