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
  if (cleanedUp > 0) console.log(`\n  Links deleted whose source and target are both gone: ${cleanedUp}`)
  if (statistics.status.FAILURE > 0) {
    console.log(
      `\n  What failed, and why:\n    syncline query audit/recon 'reconId eq "${run.id}" and status eq "FAILURE"'`,
    )
  }
}
