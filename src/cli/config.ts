import type { Command } from 'commander'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'

interface RollbackOptions extends ProjectOptions {
  readonly to: string
}

export function addConfig(program: Command, exit: Exit): void {
  const config = program.command('config').description('What the configuration has been.')
  const history = withProjectOptions(config.command('history'))
    .argument('[id]', 'of one object, e.g. sync or provisioner.openicf/hr')
    .description('The versions of configuration objects, newest last: when, who, what.')
    .action(exit(showHistory))
  example(history, 'syncline config history sync --project examples/hr-to-directory')
  const rollback = withProjectOptions(config.command('rollback'))
    .argument('<id>', 'the object, e.g. sync')
    .requiredOption('--to <version>', 'the version that is to be put back; see `syncline config history`')
    .description('Put back a version of a configuration object. A running server takes it up by itself.')
    .action(exit(rollBack))
  example(rollback, 'syncline config rollback sync --to 0199… --project examples/hr-to-directory')
}

async function showHistory(id: string | undefined, options: ProjectOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const filter = parseFilter(id === undefined ? 'true' : `configId eq ${JSON.stringify(id)}`)
    const sortKeys = [{ pointer: ['_id'], descending: false }]
    const { result } = await resources.query('config/history', { filter, sortKeys }, administrator)
    if (options.json) console.log(JSON.stringify(result, null, 2))
    else for (const version of result) console.log(described(version))
    if (!options.json && result.length === 0)
      console.log('No versions: they are kept from the first `serve` on.')
    return 0
  })
}

function described({ _id, timestamp, operation, configId, userId, origin }: JsonObject): string {
  const by = origin === 'FILE' ? 'in its file' : `by ${userId}`
  return `${_id}  ${timestamp}  ${String(operation).padEnd(6)}  ${configId}  ${by}`
}

async function rollBack(id: string, options: RollbackOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const parameters = { version: options.to }
    await resources.action(`config/${id}`, { name: 'rollback', content: null, parameters }, administrator)
    if (options.json) console.log(JSON.stringify({ id, version: options.to }))
    else console.log(`config/${id} is as it was in version ${options.to}.`)
    return 0
  })
}
