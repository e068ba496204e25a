import type { Command } from 'commander'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { type GuardOptions, type OverrideOptions, overridesOf, withGuard } from './overrides.ts'

interface LiveSyncOptions extends ProjectOptions, GuardOptions, Pick<OverrideOptions, 'allowEmptySource'> {
  readonly fromBeginning?: boolean
}

export function addLiveSync(program: Command, exit: Exit): void {
  const command = withGuard(withProjectOptions(program.command('livesync <source>')))
    .description(
      'Carry on what has changed in a system since the last time. The first time only remembers the present.',
    )
    .option('--from-beginning', 'the first time: carry on everything that there is')
    .option('--allow-empty-source', 'go on even if the source holds nothing any more')
    .action(exit(run))
  example(command, 'syncline livesync system/hr/account --project examples/hr-to-directory')
}

async function run(source: string, options: LiveSyncOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const parameters = {
      ...{ source, detailedFailure: 'true' },
      ...(options.fromBeginning && { fromBeginning: 'true' }),
    }
    const action = { name: 'liveSync', content: overridesOf(options), parameters }
    const state = await resources.action('system', action, administrator)
    const failure = isJsonObject(state) && isJsonObject(state.lastException) ? state.lastException : undefined
    if (options.json) console.log(JSON.stringify(state, null, 2))
    else for (const line of linesOf(source, state, failure)) console.log(line)
    return failure ? 1 : 0
  })
}

function linesOf(source: string, state: Json, failure: JsonObject | undefined): readonly string[] {
  const { completeAsOf, compared, listing } = isJsonObject(state) ? state : {}
  const { reason } = asObject(listing)
  return [
    failure ? String(failure.throwable) : `${source}: ${countsOf(state)}`,
    ...(compared === undefined ? [] : [`Everything was compared: ${compared}`]),
    ...(reason === undefined ? [] : [`Nothing counts as deleted: ${reason}`]),
    ...(completeAsOf === undefined ? [] : [`Complete as of ${completeAsOf}`]),
  ]
}

/** `3 changes: 1 created, 2 updated` */
function countsOf(state: Json): string {
  const changes = isJsonObject(state) && isJsonObject(state.changes) ? state.changes : {}
  const { create = 0, update = 0, delete: deleted = 0, failed = 0 } = changes
  const all = Number(create) + Number(update) + Number(deleted)
  if (all === 0) return 'no changes'
  const parts = Object.entries({ created: create, updated: update, deleted, failed })
    .filter(([, count]) => Number(count) > 0)
    .map(([what, count]) => `${count} ${what}`)
  return `${all === 1 ? '1 change' : `${all} changes`}: ${parts.join(', ')}`
}
