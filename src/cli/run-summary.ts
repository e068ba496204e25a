import type { Run } from '../sync/reconciliation/run.ts'
import { style, table } from './style.ts'

/** Prints what a run did: situations, writes, failures, and where to look next. */
export function printRun(run: Run): void {
  const { statistics, problem } = run
  const colour = run.state === 'SUCCESS' ? 'green' : 'red'
  const duration = ((run.ended ?? new Date()).getTime() - run.started.getTime()) / 1000
  console.log(`${style('bold', run.mapping)}  ${style(colour, run.state)} in ${duration.toFixed(2)} s`)
  if (problem) console.log(`  ${problem.message}\n  ${style('dim', problem.hint)}`)
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
  if (statistics.status.FAILURE > 0) {
    console.log(
      `\n  What failed, and why:\n    syncline query audit/recon 'reconId eq "${run.id}" and status eq "FAILURE"'`,
    )
  }
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

/** A run is not all right if a side was not read as a whole: what is absent there was left alone. */
export function exitCodeOf({ state, listings }: Run): number {
  return state === 'SUCCESS' && listings.size === 0 ? 0 : 1
}
