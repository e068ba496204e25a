import type { Command } from 'commander'
import { everything, type Filter } from '../model/filter/filter.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { parseSortKeys } from '../model/sort.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { style, table } from './style.ts'

interface RunsOptions extends ProjectOptions {
  readonly mapping?: string
  readonly kind?: string
  readonly outcome?: string
  readonly failed?: boolean
  readonly limit: number
}

export function addRuns(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('runs [id]'))
    .description(
      'The runs that are on record, newest first: what, when, who, and what came of it; or one of them.',
    )
    .option('--mapping <name>', 'only runs of this mapping')
    .option('--kind <kind>', 'only recon, reconById, retry, apply, plan or analysis')
    .option('--outcome <outcome>', 'only e.g. COMPLETED_WITH_FAILURES')
    .option('--failed', 'only runs that failed, or in which objects failed')
    .option('--limit <n>', 'at most n runs', wholeNumber, 20)
    .action(exit(runs))
  example(command, 'syncline runs --failed --project examples/hr-to-directory')
}

async function runs(id: string | undefined, options: RunsOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    if (id !== undefined) {
      const run = await resources.read(`recon/${encodeURIComponent(id)}`, administrator)
      if (options.json) console.log(JSON.stringify(run, null, 2))
      else printOne(run)
      return 0
    }
    const query = { filter: filterOf(options), sortKeys: parseSortKeys('-started'), pageSize: options.limit }
    const { result } = await resources.query('recon', query, administrator)
    if (options.json) console.log(JSON.stringify(result, null, 2))
    else printAll(result)
    return 0
  })
}

function filterOf({ mapping, kind, outcome, failed }: RunsOptions): Filter {
  const is = (name: string, value: string): Filter => ({
    kind: 'compare',
    operator: 'eq',
    pointer: [name],
    value,
  })
  const wanted = Object.entries({ mapping, kind, outcome: outcome?.toUpperCase() })
  const filters: Filter[] = wanted.flatMap(([name, value]) => (value === undefined ? [] : [is(name, value)]))
  const bad = ['COMPLETED_WITH_FAILURES', 'INCOMPLETE', 'FAILED'].map((value) => is('outcome', value))
  if (failed) filters.push({ kind: 'or', filters: [...bad, is('state', 'FAILED')] })
  return filters.length === 0 ? everything : { kind: 'and', filters }
}

function printAll(found: readonly JsonObject[]): void {
  if (found.length === 0) {
    console.log('There are no such runs.')
    return
  }
  const rows = found.map((run) => {
    const { FAILURE = 0 } = asObject(run.statusSummary)
    const { created = 0, updated = 0, deleted = 0 } = asObject(asObject(run.progress).target)
    const by = `${run.startedBy ?? ''} (${run.trigger ?? ''})`
    const counts = [created, updated, deleted, FAILURE].map(Number)
    return [
      ...[run.started, run._id, run.mapping, run.kind, by, run.outcome ?? run.state].map(text),
      ...counts,
    ]
  })
  const head = [
    'started',
    'id',
    'mapping',
    'kind',
    'by',
    'outcome',
    'created',
    'updated',
    'deleted',
    'failed',
  ]
  console.log(table([head, ...rows]))
}

function printOne(run: JsonObject): void {
  const { failures, failure, situationSummary } = run
  const facts = [
    '_id',
    'mapping',
    'kind',
    'trigger',
    'startedBy',
    'started',
    'ended',
    'state',
    'outcome',
    'duration',
  ]
  console.log(table(facts.map((name) => [name, text(run[name])])))
  if (isJsonObject(failure))
    console.log(`\n  ${style('red', text(failure.message))}\n  ${style('dim', text(failure.hint))}`)
  const situations = Object.entries(asObject(situationSummary)).filter(([, count]) => Number(count) > 0)
  if (situations.length > 0)
    console.log(`\n${table(situations.map(([name, count]) => [name, Number(count)]))}`)
  for (const cause of Array.isArray(failures) ? failures.filter(isJsonObject) : []) {
    const { sourceId, targetId } = asObject(cause.example)
    console.log(`\n  ${cause.count} × ${cause.code}: ${cause.message}  (e.g. ${sourceId ?? targetId})`)
    console.log(`    ${style('dim', text(cause.hint))}`)
  }
}

function text(value: Json | undefined): string {
  return value === undefined || value === null
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value)
}
