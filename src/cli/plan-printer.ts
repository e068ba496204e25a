import type { FlowsOn } from '../plan/flows-on.ts'
import type { PlanLine } from '../plan/plan-line.ts'
import { flowOnFact, notForeseenFact, rehearsalFacts } from '../plan/report.ts'
import type { Application } from '../server/application.ts'
import type { PlanFacts } from '../sync/plans/make-plan.ts'
import type { PlannedMapping } from '../sync/plans/planned-mapping.ts'
import type { Run } from '../sync/reconciliation/run.ts'
import { hintHere } from './named-command.ts'
import type { ProjectOptions } from './options.ts'
import { describeEntry, isWorthShowing } from './plan-text.ts'
import { printFailures, printKept, printNext, printUnread } from './run-summary.ts'
import { style, table } from './style.ts'

/** Prints plans while they are made, as text or as one JSON document. */
export interface PlanPrinter {
  /** Of several. */
  begin(mapping: string, place: number): void
  entry(line: PlanLine): void
  /** `out`: the file that it is kept in. */
  end(made: PlannedMapping, out: string | undefined): void
  close(): void
}

interface Printed {
  /** Kept in files: only the counts are printed. */
  readonly isKept: boolean
  /** How many plans; absent: one, which stands for itself. */
  readonly of?: number
}

export function planPrinter(
  options: ProjectOptions & { readonly limit?: number },
  application: Pick<Application, 'requireMapping'>,
  { isKept, of }: Printed,
): PlanPrinter {
  if (options.json) return jsonPrinter(isKept, of !== undefined)
  return textPrinter(options, isKept ? 0 : (options.limit ?? Number.POSITIVE_INFINITY), application, of)
}

function textPrinter(
  where: ProjectOptions,
  limit: number,
  { requireMapping }: Pick<Application, 'requireMapping'>,
  of: number | undefined,
): PlanPrinter {
  let summary = new Summary()
  let left = limit
  let shown: string | undefined
  return {
    begin(mapping, place) {
      const { source, target } = requireMapping(mapping)
      const gap = place > 0 ? '\n' : ''
      console.log(`${gap}${style('bold', `${place + 1} of ${of}: ${mapping}`)}  ${source} → ${target}`)
    },
    entry(line) {
      summary.add(line)
      if (!isWorthShowing(line)) return
      if (shown !== undefined && shown !== line.mapping) {
        left = limit
        if (limit > 0) console.log(`\nBehind it, by ${line.mapping}:`)
      }
      shown = line.mapping
      if (left-- > 0) console.log(describeEntry(line))
    },
    end({ run, facts }, out) {
      summary.print(run, where)
      printUnread(run)
      printFailures(run, where)
      for (const flow of facts?.flowsOn ?? []) printFlow(flow)
      if (facts?.notForeseen)
        console.log(`\n  ${notForeseenFact(facts.notForeseen)}; --flows runs them in a rehearsal.`)
      for (const fact of rehearsalFacts(facts?.rehearsed)) console.log(`\n  ${style('yellow', fact)}`)
      for (const excess of facts?.guard.exceeded ?? [])
        console.log(`\n  ${style('red', 'The guard would stop this run:')} ${excess}`)
      if (facts && out !== undefined) printWhere(out, facts, where)
      summary = new Summary()
      left = limit
      shown = undefined
    },
    close() {},
  }
}

function printWhere(out: string, facts: PlanFacts, where: ProjectOptions): void {
  const { entries, after = [] } = facts
  const inFile = `${entries} entries are in ${out}. To look at them`
  if (after.length === 0) printKept(`${inFile}, and to perform them`, facts, out, where)
  else {
    printNext(inFile, where, ['show', out])
    const have = after.length === 1 ? 'has' : 'have'
    console.log(`  It can be performed when ${after.join(', ')} ${have} been: make it again then.`)
  }
}

function printFlow(flow: FlowsOn): void {
  console.log(`\n  ${flowOnFact(flow)}`)
  const { decided } = flow
  if (!decided) return
  const rows = Object.entries(decided.counts).flatMap(([situation, actions]) =>
    Object.entries(actions).map(([action, count]) => [situation, action, count] as const),
  )
  if (rows.length > 0) console.log(table([['Situation', 'Action', 'Objects'], ...rows]))
  if (decided.failed === 0) return
  console.log(`  ${style('red', `Would fail there: ${decided.failed}`)}`)
  for (const { count, message, example } of decided.failures)
    console.log(
      `    ${count} × ${message}${example === null ? '' : `  (${count > 1 ? 'e.g. ' : ''}${example})`}`,
    )
}

/** Entries by situation and action. */
class Summary {
  readonly #rows = new Map<string, { objects: number; writes: number; mapping: string }>()

  add({ situation, action, writes, mapping }: PlanLine): void {
    const key = `${mapping}\n${situation ?? '(failed)'}\n${action ?? ''}`
    const row = this.#rows.get(key) ?? { objects: 0, writes: 0, mapping }
    row.objects++
    row.writes += Number(writes)
    this.#rows.set(key, row)
  }

  print({ mapping, state, problem }: Run, where: ProjectOptions): void {
    const rows = [...this.#rows]
      .filter(([, row]) => row.mapping === mapping)
      .map(([key, { objects, writes }]) => [...key.split('\n').slice(1), objects, writes])
    const what = state === 'SUCCESS' ? 'complete; nothing has been written' : state
    console.log(`\n${style('bold', 'Plan')}  ${what}`)
    if (problem) console.log(`  ${problem.message}\n  ${style('dim', hintHere(problem.hint, where))}`)
    if (rows.length > 0) console.log(`\n${table([['Situation', 'Action', 'Objects', 'To write'], ...rows])}`)
  }
}

/** Prints entries as they come, so a plan of any size is one JSON document without being held in memory. */
function jsonPrinter(isKept: boolean, several: boolean): PlanPrinter {
  const write = (text: string) => void process.stdout.write(text)
  let plans = 0
  let own: string | undefined
  let part: 'none' | 'entries' | 'behind' = 'none'
  function open(): void {
    if (part !== 'none') return
    if (several) write(plans++ === 0 ? '{"plans":[\n' : ',\n')
    write('{')
    if (!isKept) write('"entries":[')
    part = 'entries'
  }
  let isFirst = true
  return {
    begin(mapping) {
      own = mapping
    },
    entry(line) {
      if (isKept) return
      open()
      own ??= line.mapping
      if (part === 'entries' && line.mapping !== own) {
        write('],"behind":[')
        part = 'behind'
        isFirst = true
      }
      write(`${isFirst ? '\n' : ',\n'}${JSON.stringify(line)}`)
      isFirst = false
    },
    end({ run, facts }) {
      open()
      const { flowsOn, rehearsed, after } = facts ?? {}
      const more = Object.entries({ flowsOn, rehearsed, after, run }).filter(
        ([, value]) => value !== undefined,
      )
      const members = more.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
      write(`${isKept ? '' : '],'}${members.join(',')}}${several ? '' : '\n'}`)
      part = 'none'
      own = undefined
      isFirst = true
    },
    close() {
      write(plans === 0 ? '{"plans":[]}\n' : '\n]}\n')
    },
  }
}
