import type { Command } from 'commander'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { table } from './style.ts'

interface QueueOptions extends ProjectOptions {
  readonly dead?: boolean
  readonly show?: string
  readonly retry?: string
  readonly discard?: string
  readonly release?: string
  readonly reason?: string
}

export function addQueue(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('queue'))
    .description('Changes that wait to be carried on, and those that were given up (dead letters).')
    .option('--dead', 'dead letters only')
    .option('--show <id>', 'one change, with the objects before and after')
    .option('--retry <id>', 'put a change in line again; a running server takes it up')
    .option('--discard <id>', 'drop a change')
    .option('--release <mapping>', 'let go what the guard holds back; a running server takes it up')
    .option('--reason <text>', 'why it may be released; it is audited')
    .action(exit(queue))
  example(command, 'syncline queue --dead', 'syncline queue --retry 01a2…')
}

async function queue(options: QueueOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const { show, retry, discard } = options
    if (options.release !== undefined) {
      const parameters = { mapping: options.release, reason: options.reason ?? '' }
      const action = { name: 'release', content: null, parameters }
      console.log(JSON.stringify(await resources.action('sync/queue', action, administrator), null, 2))
      return 0
    }
    const id = show ?? retry ?? discard
    if (id !== undefined) {
      const path = `sync/queue/${encodeURIComponent(id)}`
      const action = { name: retry === undefined ? 'discard' : 'retry', content: null, parameters: {} }
      const event =
        show === undefined
          ? await resources.action(path, action, administrator)
          : await resources.read(path, administrator)
      console.log(JSON.stringify(event, null, 2))
      return 0
    }
    const filter = parseFilter(options.dead ? 'state eq "DEAD"' : 'true')
    const { result } = await resources.query('sync/queue', { filter }, administrator)
    if (options.json) console.log(JSON.stringify(result, null, 2))
    else if (result.length === 0) console.log(options.dead ? 'There are no dead letters.' : 'Nothing waits.')
    else print(result)
    return 0
  })
}

function print(events: readonly JsonObject[]): void {
  const rows = events.map((event) =>
    [
      ...[event._id, event.state, event.mapping, event.syncAction],
      ...[`${event.resourceCollection}/${event.resourceId}`, event.attempts, event.lastError ?? ''],
    ].map(String),
  )
  console.log(table([['id', 'state', 'mapping', 'change', 'object', 'tries', 'last error'], ...rows]))
}
