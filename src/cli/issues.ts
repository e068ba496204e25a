import type { Command } from 'commander'
import { everything, type Filter } from '../model/filter/filter.ts'
import { asObject, elementsOf, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { Application } from '../server/application.ts'
import { withApplication } from './application.ts'
import { hintHere } from './named-command.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { worked } from './queue.ts'
import { printNext } from './run-summary.ts'
import { style, table } from './style.ts'

interface IssuesOptions extends ProjectOptions {
  readonly mapping?: string
  readonly kind?: string
  readonly each?: boolean
  readonly all?: boolean
  readonly limit: number
  readonly link?: string
  readonly create?: boolean
  readonly ignore?: boolean
  readonly undo?: boolean
  readonly retry?: boolean
  readonly discard?: boolean
  readonly clear?: boolean
  readonly reason?: string
}

export function addIssues(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('issues [id]'))
    .description(
      'What is left to people: ambiguous, already linked, unassigned, failed, given up, stopped by the guard.',
    )
    .option('--each', 'one line a case, instead of one line for all that are alike')
    .option('--mapping <name>', 'only cases of this mapping')
    .option('--kind <kind>', 'only this kind, e.g. AMBIGUOUS')
    .option('--all', 'those that are ignored or resolved, too')
    .option('--limit <n>', 'at most n lines', wholeNumber, 50)
    .option('--link <id>', 'decide: it belongs to this target (of a target: to this source)')
    .option('--create', 'decide: it gets a target of its own')
    .option('--ignore', 'decide: leave it as it is, until it changes; needs --reason')
    .option('--undo', 'take the decision back')
    .option('--retry', 'try it again')
    .option('--discard', 'drop a dead letter')
    .option('--clear', 'drop all cases of a --mapping that is configured no more')
    .option('--reason <text>', 'why; it is remembered and audited')
    .action(exit(issues))
  example(
    command,
    'syncline issues',
    'syncline issues 3f2a… --link 1001',
    'syncline issues 3f2a… --ignore --reason "a test account"',
  )
}

async function issues(id: string | undefined, options: IssuesOptions): Promise<number> {
  if (options.clear) return withApplication(options, (application) => clear(application, options))
  const action = actionOf(options)
  if (action && id === undefined)
    throw new Problem('BAD_REQUEST', `--${action.option} needs the id of an issue`)
  return withApplication(options, async (application) => {
    if (id === undefined) return list(application, options)
    const { resources, administrator } = application
    const path = `sync/issues/${encodeURIComponent(id)}`
    const shown = action
      ? await resources.action(
          path,
          { name: action.name, content: action.content, parameters: {} },
          administrator,
        )
      : await resources.read(path, administrator)
    if (action?.name === 'retry' && isJsonObject(shown) && shown.outcome === undefined) {
      const { state, lastError } = await worked(application, shown)
      if (options.json) console.log(JSON.stringify({ state, lastError: lastError ?? null }, null, 2))
      else console.log(`tried again: ${state}${state === 'DONE' ? '' : `, ${lastError}`}`)
      return state === 'DONE' ? 0 : 3
    }
    if (options.json || !isJsonObject(shown)) console.log(JSON.stringify(shown, null, 2))
    else if (action?.name === 'retry' && typeof shown.outcome === 'string')
      console.log(`tried again: ${shown.outcome}`)
    else print(shown)
    return exitCodeOf(isJsonObject(shown) ? shown.outcome : undefined)
  })
}

async function clear({ resources, administrator }: Application, options: IssuesOptions): Promise<number> {
  const { mapping, reason, json } = options
  if (mapping === undefined) throw new Problem('BAD_REQUEST', '--clear needs the --mapping whose cases go')
  const content = { mapping, ...(reason !== undefined && { reason }) }
  const action = { name: 'clear', content, parameters: {} }
  const done = await resources.action('sync/issues', action, administrator)
  const cleared = isJsonObject(done) ? done.cleared : undefined
  console.log(json ? JSON.stringify(done, null, 2) : `dropped: ${cleared} of ${mapping}`)
  return 0
}

/** Of what was tried again; anything else is done. */
function exitCodeOf(outcome: Json | undefined): number {
  if (outcome === undefined || outcome === 'COMPLETED') return 0
  return outcome === 'COMPLETED_WITH_FAILURES' ? 3 : 1
}

interface Asked {
  readonly option: string
  readonly name: string
  readonly content: JsonObject | null
}

function actionOf({ link, create, ignore, undo, retry, discard, reason }: IssuesOptions): Asked | undefined {
  const why = reason === undefined ? {} : { reason }
  const resolve = (option: string, content: JsonObject) => ({ option, name: 'resolve', content })
  const asked: Asked[] = [
    ...(link === undefined ? [] : [resolve('link', { decision: 'link', targetId: link, ...why })]),
    ...(create ? [resolve('create', { decision: 'create', ...why })] : []),
    ...(ignore ? [resolve('ignore', { decision: 'ignore', ...why })] : []),
    ...(undo ? [{ option: 'undo', name: 'undo', content: null }] : []),
    ...(retry ? [{ option: 'retry', name: 'retry', content: null }] : []),
    ...(discard ? [{ option: 'discard', name: 'discard', content: null }] : []),
  ]
  if (asked.length > 1)
    throw new Problem(
      'BAD_REQUEST',
      `one decision at a time: ${asked.map(({ option }) => `--${option}`).join(', ')}`,
    )
  return asked[0]
}

async function list(application: Application, options: IssuesOptions): Promise<number> {
  const { resources, administrator } = application
  const { each, all, mapping, kind, limit, json } = options
  const wanted = { mapping, kind: kind?.toUpperCase().replaceAll('-', '_') }
  if (!each && !all) {
    const content = mapping === undefined ? {} : { mapping }
    const action = { name: 'summary', content, parameters: {} }
    const found = asObject(await resources.action('sync/issues', action, administrator))
    const gone = objectsIn(found.gone)
    const some = objectsIn(found.groups).filter((group) => matchesAll(group, wanted))
    if (json) console.log(JSON.stringify({ groups: some, gone }, null, 2))
    else printGroups({ groups: some, gone, limit }, options)
    return 0
  }
  const filters = Object.entries({ ...wanted, ...(all ? {} : { state: 'OPEN' }) }).flatMap(([name, value]) =>
    is(name, value),
  )
  const filter: Filter = filters.length === 0 ? everything : { kind: 'and', filters }
  const page = await resources.query(
    'sync/issues',
    { filter, pageSize: limit, totalPolicy: 'EXACT' },
    administrator,
  )
  if (json) console.log(JSON.stringify({ result: page.result, total: page.total ?? null }, null, 2))
  else printEach(page.result, page.total ?? page.result.length)
  return 0
}

function matchesAll(group: JsonObject, wanted: Readonly<Record<string, string | undefined>>): boolean {
  return Object.entries(wanted).every(([name, value]) => value === undefined || group[name] === value)
}

function is(name: string, value: string | undefined): readonly Filter[] {
  return value === undefined ? [] : [{ kind: 'compare', operator: 'eq', pointer: [name], value }]
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return elementsOf(value ?? null).filter(isJsonObject)
}

interface Groups {
  readonly groups: readonly JsonObject[]
  /** Of mappings that are not there any more. */
  readonly gone: readonly JsonObject[]
  readonly limit: number
}

function printGroups({ groups, gone, limit }: Groups, where: IssuesOptions): void {
  if (groups.length === 0) console.log('Nothing is left to decide.')
  for (const { count, kind, mapping, message, hint, example } of groups.slice(0, limit)) {
    const of = isJsonObject(example) ? example : {}
    console.log(`${style('bold', `${count} × ${kind}`)}  ${placeOf(of, mapping)}\n    ${message}`)
    console.log(
      `    ${count === 1 ? 'issue' : 'e.g. issue'} ${of._id}${about(of)}\n    ${style('dim', hintHere(String(hint), where))}`,
    )
  }
  if (groups.length > limit)
    console.log(`… and ${groups.length - limit} other kinds of cases: --limit ${groups.length}`)
  for (const { mapping, count } of gone)
    console.log(
      `${count} of ${mapping}, which is configured no more: --mapping ${mapping} shows them, --clear drops them`,
    )
  if (groups.some(({ count }) => Number(count) > 1)) printNext('Each of them', where, ['issues', '--each'])
}

function placeOf({ source, mappingGone }: JsonObject, mapping: Json | undefined): string {
  return `${mapping || source || ''}${mappingGone ? ' (configured no more)' : ''}`
}

function about({ sourceId, sourceName, targetId, targetName, candidates, linkedTo }: JsonObject): string {
  const called = [[sourceId, sourceName] as const, [targetId, targetName] as const]
  const ends = called.flatMap(([id, name]) => (typeof id === 'string' ? [end(id, name)] : [])).join(' → ')
  const others = [
    ...(Array.isArray(candidates) ? [`candidates ${candidates.join(', ')}`] : []),
    ...(typeof linkedTo === 'string' ? [`the target is linked to ${linkedTo}`] : []),
  ]
  return `${ends ? `  ${ends}` : ''}${others.length > 0 ? `  (${others.join('; ')})` : ''}`
}

function end(id: string, name: Json | undefined): string {
  return typeof name === 'string' && name !== id ? `${id} (${name})` : id
}

function printEach(found: readonly JsonObject[], total: number): void {
  if (found.length === 0) {
    console.log('There are none.')
    return
  }
  const rows = found.map((issue) =>
    [issue._id, issue.state, issue.kind, placeOf(issue, issue.mapping), about(issue).trim()].map(text),
  )
  console.log(table([['id', 'state', 'kind', 'mapping', 'object'], ...rows]))
  if (total > found.length) console.log(`\n  ${found.length} of ${total}: --limit ${total}`)
}

function print(issue: JsonObject): void {
  const rows = Object.entries(issue).map(([name, value]) => [name, text(value)])
  console.log(table(rows))
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}
