import { type Command, InvalidArgumentError } from 'commander'
import type { JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import type { Done } from './command-line.ts'
import { example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { progress } from './progress.ts'
import { printRun } from './run-summary.ts'

interface ReconOptions extends ProjectOptions {
  readonly id?: string
  readonly allowEmptySource?: boolean
  readonly targetPhase?: boolean
  readonly guard?: JsonObject | false
}

export function addRecon(program: Command, done: Done): void {
  const command = withProjectOptions(program.command('recon <mapping>'))
    .description('Reconcile a mapping: compare both sides and bring the target in line.')
    .option('--id <sourceId>', 'only this source object')
    .option('--allow-empty-source', 'go on even if the source query returns nothing')
    .option('--guard <off|limits>', 'for this run: off, or e.g. maxDeletes=500,maxUpdates=20%', guardOption)
    .option('--no-target-phase', 'leave out the pass over targets without a source')
    .action(async (mapping: string, options: ReconOptions) => done(await recon(mapping, options)))
  example(command, 'syncline recon hrAccount_managedUser --project examples/hr-to-directory')
}

async function recon(mapping: string, options: ReconOptions): Promise<number> {
  return withApplication({ ...folders(options), mapping }, async ({ reconciliations, administrator }) => {
    const shown = progress(options.json === true)
    const request = { mapping, sourceId: options.id, overrides: overridesOf(options) }
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

/** `off`, or limits by name. What the limits may be is checked where every request is. */
function guardOption(text: string): JsonObject | false {
  if (text.toLowerCase() === 'off') return false
  const limits = text.split(',').map((part) => part.split('=').map((side) => side.trim()))
  const known = ['maxDeletes', 'maxUpdates', 'maxCreates']
  if (limits.some(([name, value, more]) => !known.includes(name ?? '') || !value || more !== undefined))
    throw new InvalidArgumentError(
      `Say off, or limits such as maxDeletes=500,maxUpdates=20%; known are ${known.join(', ')}.`,
    )
  return Object.fromEntries(limits)
}

function overridesOf({ allowEmptySource, targetPhase, guard }: ReconOptions) {
  return {
    ...(allowEmptySource ? { allowEmptySourceSet: true } : {}),
    ...(guard === undefined ? {} : { guard }),
    ...(targetPhase === false ? { runTargetPhase: false } : {}),
  }
}
