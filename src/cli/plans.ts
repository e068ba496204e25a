import type { Command } from 'commander'
import { everything, type Filter } from '../model/filter/filter.ts'
import { asObject, elementsOf, type JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { table } from './style.ts'

interface PlansOptions extends ProjectOptions {
  readonly mapping?: string
  readonly limit: number
}

export function addPlans(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('plans'))
    .description('The plans that a server keeps with their runs, newest first; syncline show ID shows one.')
    .option('--mapping <name>', 'only plans of this mapping')
    .option('--limit <n>', 'at most n plans', wholeNumber, 20)
    .action(exit(plans))
  example(command, 'syncline plans --project examples/hr-to-directory')
}

async function plans({ mapping, limit, ...options }: PlansOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const filter: Filter =
      mapping === undefined
        ? everything
        : { kind: 'compare', operator: 'eq', pointer: ['mapping'], value: mapping }
    const { result } = await resources.query('recon/plans', { filter, pageSize: limit }, administrator)
    if (options.json) console.log(JSON.stringify(result, null, 2))
    else print(result)
    return 0
  })
}

function print(found: readonly JsonObject[]): void {
  if (found.length === 0) {
    console.log('There are no such plans. syncline plan MAPPING --out FILE keeps one in a file.')
    return
  }
  const head = ['created', 'id', 'mapping', 'by', 'entries', 'creates', 'updates', 'deletes', 'guard']
  const rows = found.map(({ created, _id, mapping, createdBy, entries, writes, guard }) => {
    const { creates = 0, updates = 0, deletes = 0 } = asObject(writes)
    const { passes, exceeded } = asObject(guard)
    const stop = passes === false ? `would stop it: ${elementsOf(exceeded ?? null).join(', ')}` : ''
    return [
      ...[created, _id, mapping, createdBy].map(String),
      ...[entries, creates, updates, deletes].map(Number),
      stop,
    ]
  })
  console.log(table([head, ...rows]))
}
