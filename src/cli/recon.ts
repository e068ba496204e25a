import type { Command } from 'commander'
import { withApplication } from './application.ts'
import { type Done, example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { type OverrideOptions, overridesOf, withOverrides } from './overrides.ts'
import { progress } from './progress.ts'
import { printRun } from './run-summary.ts'

interface ReconOptions extends ProjectOptions, OverrideOptions {
  readonly id?: string
  readonly associations?: boolean
}

export function addRecon(program: Command, done: Done): void {
  const command = withOverrides(withProjectOptions(program.command('recon <mapping>')))
    .description('Reconcile a mapping: compare both sides and bring the target in line.')
    .option('--id <sourceId>', 'only this source object')
    .option('--associations', 'keep what became of each object, for recon/assoc')
    .action(async (mapping: string, options: ReconOptions) => done(await recon(mapping, options)))
  example(command, 'syncline recon hrAccount_managedUser --project examples/hr-to-directory')
}

async function recon(mapping: string, options: ReconOptions): Promise<number> {
  return withApplication({ ...folders(options), mapping }, async ({ reconciliations, administrator }) => {
    const shown = progress(options.json === true)
    const request = {
      mapping,
      sourceId: options.id,
      overrides: overridesOf(options),
      persistAssociations: options.associations === true,
    }
    const { run, done } = await reconciliations.start(request, administrator, { onProgress: shown.update })
    const cancel = () => run.cancel()
    process.once('SIGINT', cancel).once('SIGTERM', cancel)
    await done
    process.off('SIGINT', cancel).off('SIGTERM', cancel)
    shown.stop()
    if (options.json) console.log(JSON.stringify(run, null, 2))
    else printRun(run)
    return run.state === 'SUCCESS' ? 0 : 1
  })
}
