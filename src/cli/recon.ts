import type { Command } from 'commander'
import { withMapping } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type OverrideOptions, overridesOf, withOverrides } from './overrides.ts'
import { atItsEnd } from './progress.ts'
import { exitCodeOf, printRun } from './run-summary.ts'

interface ReconOptions extends ProjectOptions, OverrideOptions {
  readonly id?: string
  readonly associations?: boolean
}

export function addRecon(program: Command, exit: Exit): void {
  const command = withOverrides(withProjectOptions(program.command('recon <mapping>')))
    .description('Reconcile a mapping: compare both sides and bring the target in line.')
    .option('--id <sourceId>', 'only this source object')
    .option('--associations', 'keep what became of each object, for recon/assoc')
    .action(exit(recon))
  example(command, 'syncline recon hrAccount_managedUser --project examples/hr-to-directory')
}

async function recon(mapping: string, options: ReconOptions): Promise<number> {
  return withMapping(options, mapping, async ({ reconciliations, administrator }) => {
    const request = {
      mapping,
      sourceId: options.id,
      overrides: overridesOf(options),
      persistAssociations: options.associations === true,
    }
    const run = await atItsEnd(options, (onProgress) =>
      reconciliations.start(request, administrator, { onProgress }),
    )
    if (options.json) console.log(JSON.stringify(run, null, 2))
    else printRun(run)
    return exitCodeOf(run)
  })
}
