import type { PlanHeader } from '../plan/plan-line.ts'
import type { FlowedOn, Outcome, Run } from '../sync/reconciliation/run.ts'
import type { Failures } from '../sync/reconciliation/statistics.ts'
import { hintHere, namedCommand } from './named-command.ts'
import type { ProjectOptions } from './options.ts'
import { style, table } from './style.ts'

/** What is to be done next, as commands that work as they stand. */
export function printNext(
  what: string,
  where: ProjectOptions,
  ...commands: readonly (readonly string[])[]
): void {
  const lines = commands.map((words) => `    ${namedCommand(words, where)}`)
  console.log(`\n  ${what}:\n${lines.join('\n')}`)
}

/** What may be done with a plan in a file. What the guard stops is approved with a reason. */
export function printKept(
  what: string,
  { guard }: Pick<PlanHeader, 'guard'>,
  file: string,
  where: ProjectOptions,
): void {
  const approving = guard.passes ? [] : ['--override-guard', '--reason', '…']
  const words = guard.passes ? what : `${what} if they are right`
  printNext(words, where, ['show', file], ['apply', file, ...approving])
}

/** Prints what a run did: situations, writes, failures, and what to do next. */
export function printRun(run: Run, where: ProjectOptions): void {
  const { statistics, problem } = run
  const { colour, words } = shown(run.outcome)
  const duration = ((run.ended ?? new Date()).getTime() - run.started.getTime()) / 1000
  console.log(`${style('bold', run.mapping)}  ${style(colour, words)} in ${duration.toFixed(2)} s`)
  if (problem) console.log(`  ${problem.message}\n  ${style('dim', hintHere(problem.hint, where))}`)
  const situations = Object.entries(statistics.situationSummary).filter(([, count]) => count > 0)
  if (situations.length > 0) console.log(`\n${table([['Situation', 'Objects'], ...situations])}`)
  const { created, updated, unchanged, deleted, linked, cleanedUp } = statistics.written
  console.log(
    `\n${table([
      ['Created', 'Updated', 'Unchanged', 'Deleted', 'Links made', 'Failed'],
      [created, updated, unchanged, deleted, linked, statistics.status.FAILURE],
    ])}`,
  )
  printUnread(run)
  if (cleanedUp > 0) console.log(`\n  Links deleted whose source and target are both gone: ${cleanedUp}`)
  printFailures(run, where)
  for (const flow of run.flows) printFlow(run, flow, where)
  const { AMBIGUOUS = 0, FOUND_ALREADY_LINKED = 0 } = statistics.situationSummary
  if (AMBIGUOUS + FOUND_ALREADY_LINKED + statistics.failed > 0)
    printNext('What is left to decide', where, ['issues', '--mapping', run.mapping])
  if (created + updated + deleted + linked > 0)
    printNext('The way back, as a plan', where, ['undo', run.id, '--out', 'back.ndjson'])
}

function shown(outcome: Outcome): { readonly colour: 'green' | 'yellow' | 'red'; readonly words: string } {
  if (outcome === 'COMPLETED') return { colour: 'green', words: 'SUCCESS' }
  const isDone = outcome === 'COMPLETED_WITH_FAILURES' || outcome === 'INCOMPLETE'
  return { colour: isDone ? 'yellow' : 'red', words: outcome.replaceAll('_', ' ') }
}

/** How many causes are printed. */
const printed = 20

/** Prints failures by their cause, and what to do about them. */
export function printFailures({ id, mapping, analysis, statistics }: Run, where: ProjectOptions): void {
  const { failures, failed } = statistics
  if (failed === 0) return
  console.log(`\n  ${style('red', analysis ? `Would fail: ${failed}` : `Failed: ${failed}`)}`)
  printCauses(failures)
  if (analysis) return
  printNext('Each of them', where, ['query', 'audit/recon', `reconId eq "${id}" and status eq "FAILURE"`])
  printNext('When the cause is mended, only these again', where, ['recon', mapping, '--retry', id])
}

/** What the run's writes came to in a mapping behind its target. */
function printFlow({ id }: Run, flow: FlowedOn, where: ProjectOptions): void {
  const { mapping, target, statistics, queued, heldBack } = flow
  const { failed, failures, processed, written } = statistics
  if (queued > 0) {
    console.log(
      `\n  Queued for ${target} by ${mapping}: ${queued} changes, for a server that runs to carry on`,
    )
    printNext('Those that still wait', where, ['queue'])
    if (processed.source === 0) return
  }
  const { created, updated, deleted } = written
  console.log(
    `\n  Flowed on to ${target} by ${mapping}: ${processed.source} changes (created ${created}, updated ${updated}, deleted ${deleted})`,
  )
  if (heldBack > 0) {
    console.log(`  ${style('yellow', `Held back by its guard: ${heldBack}`)}`)
    printNext('Why, and how they are released', where, ['issues', '--mapping', mapping])
  }
  if (failed === 0) return
  console.log(`  ${style('red', `Failed there: ${failed}`)}`)
  printCauses(failures)
  printNext('Each of them', where, [
    ...['query', 'audit/sync'],
    `transactionId eq "${id}" and mapping eq "${mapping}" and status eq "FAILURE"`,
  ])
  printNext('When the cause is mended, its target is brought up to date', where, ['recon', mapping])
}

function printCauses(failures: readonly Failures[]): void {
  for (const cause of failures.slice(0, printed)) console.log(describeFailures(cause))
  if (failures.length > printed) console.log(`    … and ${failures.length - printed} other causes`)
}

function describeFailures({ cause, count, code, message, hint, example }: Failures): string {
  const { phase, sourceId, targetId } = example
  const id = phase === 'source' ? sourceId : targetId
  const which = id === undefined ? '' : `  (${count > 1 ? 'e.g. ' : ''}${phase} ${id})`
  return `    ${count} × ${code}: ${message}${which}\n      ${style('dim', `${hint} (cause ${cause})`)}`
}

/** Prints what could not be read: objects, and listings that are not complete. */
export function printUnread({ listings, statistics }: Run): void {
  for (const [side, { state, reason }] of listings)
    console.log(
      `\n  The listing of the ${side} is ${state}: what is absent from it is left alone.\n    ${reason}`,
    )
  const { count, messages } = statistics.unreadable
  if (count > 0) {
    console.log(`\n  Left out, because they cannot be read: ${count}`)
    for (const message of messages) console.log(`    ${message}`)
  }
}

/**
 * 0: all was done; 3: all but the objects that failed; 1: the run failed, or a side was not read as a whole, so that what is
 * absent there was left alone.
 */
export function exitCodeOf({ outcome }: Run): number {
  if (outcome === 'COMPLETED') return 0
  return outcome === 'COMPLETED_WITH_FAILURES' ? 3 : 1
}
