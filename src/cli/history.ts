import type { Command } from 'commander'
import { everything } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { isJsonObject } from '../model/json.ts'
import { parsePointer } from '../model/pointer.ts'
import type { Resource } from '../router/resources.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { describeChange } from './plan-text.ts'
import { style } from './style.ts'
import { writtenPath } from './written-path.ts'

interface HistoryOptions extends ProjectOptions {
  readonly limit: number
  readonly mapping?: string
  readonly changesOnly?: boolean
}

export function addHistory(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('history <path>'))
    .description('What happened to one object, newest first: every operation on record that touched it.')
    .option('--limit <n>', 'at most n operations', wholeNumber, 50)
    .option('--mapping <name>', 'only operations of this mapping')
    .option('--changes-only', 'only operations that wrote something')
    .action(exit(history))
  example(command, 'syncline history system/hr/account/1001 --project examples/hr-to-directory')
}

async function history(path: string, options: HistoryOptions): Promise<number> {
  const { limit, mapping, changesOnly, json } = options
  const filters = [
    ...(mapping === undefined ? [] : [parseFilter(`mapping eq ${JSON.stringify(mapping)}`)]),
    ...(changesOnly ? [parseFilter('changes pr or action eq "DELETE" or action eq "UNLINK"')] : []),
  ]
  const filter = filters.length === 0 ? everything : ({ kind: 'and', filters } as const)
  return withApplication(options, async ({ resources, administrator }) => {
    const page = await resources.query(
      `history/${writtenPath(path)}`,
      { filter, pageSize: limit },
      administrator,
    )
    if (json) console.log(JSON.stringify({ path, result: page.result, more: page.cookie !== null }, null, 2))
    else print(path, page.result, page.cookie !== null)
    return 0
  })
}

function print(path: string, entries: readonly Resource[], more: boolean): void {
  if (entries.length === 0) console.log(`Nothing is on record about ${path}.`)
  for (const entry of entries) console.log(describeHistory(entry))
  if (more) console.log(style('dim', `There is more: --limit ${entries.length * 2}`))
}

/** One operation: when, what, by which run, with which object; then the changes, and the cause of a failure. */
export function describeHistory(entry: Resource): string {
  const { timestamp, mapping, role, situation, action, status, runId, other, policy, userId } = entry
  const way =
    role === 'source' ? `→ ${other ?? '(no target)'}` : role === 'target' ? `← ${other ?? '(no source)'}` : ''
  const failed = status === 'SUCCESS' ? '' : `  ${style('red', String(status))}`
  const head = `${timestamp}  ${style('bold', String(action))}  ${situation ?? ''}  ${way}${failed}`
  const decided = policy === undefined ? 'by default' : `by policy ${Number(policy) + 1}`
  const origin = mapping
    ? `    ${mapping}, ${decided}, ${runId === undefined ? 'carried on for' : `run ${runId} of`} ${userId}`
    : `    ${entry.topic} of ${userId}`
  const members = isJsonObject(entry.changes) ? Object.entries(entry.changes) : []
  const changes = members.map(([pointer, values]) => {
    const { before, after } = isJsonObject(values) ? values : {}
    return describeChange({ pointer: parsePointer(pointer), before, after })
  })
  const message = entry.message ? `    ${entry.message}` : undefined
  return [head, style('dim', origin), ...changes, message].filter(Boolean).join('\n')
}
