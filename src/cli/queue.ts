import type { Command } from 'commander'
import type { Filter } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import type { Application } from '../server/application.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { printNext } from './run-summary.ts'
import { table } from './style.ts'

interface QueueOptions extends ProjectOptions {
  readonly dead?: boolean
  readonly limit?: number
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
    .option('--limit <n>', 'at most n lines, 50 unless you say otherwise; --json has all', wholeNumber)
    .option('--retry <id>', 'try a change again, now')
    .option('--discard <id>', 'drop a change')
    .option('--release <mapping>', 'let go what the guard holds back, and do it now')
    .option('--reason <text>', 'why it may be released; it is audited')
    .action(exit(queue))
  example(command, 'syncline queue --dead', 'syncline queue --retry 01a2…')
}

async function queue(options: QueueOptions): Promise<number> {
  return withApplication(options, async (application) => {
    const { release, retry, show, discard } = options
    if (release !== undefined) return released(application, release, options)
    if (retry !== undefined) return retried(application, retry)
    const { resources, administrator } = application
    const id = show ?? discard
    if (id === undefined) return list(application, options)
    const path = pathOf(id)
    const action = { name: 'discard', content: null, parameters: {} }
    const event =
      show === undefined
        ? await resources.action(path, action, administrator)
        : await resources.read(path, administrator)
    console.log(JSON.stringify(event, null, 2))
    return 0
  })
}

function pathOf(id: string): string {
  return `sync/queue/${encodeURIComponent(id)}`
}

/** Lets go what the guard holds back, and works it: there may be no server that does. */
async function released(
  { resources, changes, administrator }: Application,
  mapping: string,
  { reason = '', ...options }: QueueOptions,
): Promise<number> {
  const action = { name: 'release', content: null, parameters: { mapping, reason } }
  const answer = await resources.action('sync/queue', action, administrator)
  const count = isJsonObject(answer) ? Number(answer.released) : 0
  await changes.work(mapping)
  const { result } = await resources.query('sync/queue', { filter: releasedOf(mapping) }, administrator)
  const waiting = result.length
  if (options.json) console.log(JSON.stringify({ mapping, released: count, waiting }, null, 2))
  else {
    const rest = waiting > 0 ? `, ${waiting} still wait` : ''
    console.log(`${mapping}: ${count} changes released: ${count - waiting} done${rest}`)
    if (waiting > 0) printNext('Why', options, ['queue'])
  }
  return waiting > 0 ? 3 : 0
}

function releasedOf(mapping: string): Filter {
  return {
    kind: 'and',
    filters: [
      { kind: 'compare', operator: 'eq', pointer: ['mapping'], value: mapping },
      { kind: 'present', pointer: ['released'] },
    ],
  }
}

async function retried(application: Application, id: string): Promise<number> {
  const { resources, administrator } = application
  const action = { name: 'retry', content: null, parameters: {} }
  const event = await resources.action(pathOf(id), action, administrator)
  const after = await worked(application, isJsonObject(event) ? event : {})
  console.log(JSON.stringify(after, null, 2))
  return after.state === 'DONE' ? 0 : 3
}

/** What became of a change that is in line again: done, or as it waits now. */
export async function worked(
  { resources, changes, administrator }: Pick<Application, 'resources' | 'changes' | 'administrator'>,
  event: JsonObject,
): Promise<JsonObject> {
  await changes.work(String(event.mapping))
  const left = await resources.read(pathOf(String(event._id)), administrator).catch(() => undefined)
  return left ?? { ...event, state: 'DONE' }
}

async function list({ resources, administrator }: Application, options: QueueOptions): Promise<number> {
  const filter = parseFilter(options.dead ? 'state eq "DEAD"' : 'true')
  const query = {
    filter,
    pageSize: options.limit ?? (options.json ? undefined : usual),
    totalPolicy: 'EXACT',
  } as const
  const { result, total = result.length } = await resources.query('sync/queue', query, administrator)
  if (options.json) console.log(JSON.stringify(result, null, 2))
  else if (result.length === 0) console.log(options.dead ? 'There are no dead letters.' : 'Nothing waits.')
  else print(result)
  if (!options.json && total !== null && total > result.length)
    console.log(`\n  ${result.length} of ${total}: --limit ${total}`)
  return 0
}

/** As many lines as are printed. */
const usual = 50

function print(events: readonly JsonObject[]): void {
  const rows = events.map((event) =>
    [
      ...[event._id, event.state, event.mapping, event.syncAction],
      ...[`${event.resourceCollection}/${event.resourceId}`, event.attempts, event.lastError ?? ''],
    ].map(String),
  )
  console.log(table([['id', 'state', 'mapping', 'change', 'object', 'tries', 'last error'], ...rows]))
}
