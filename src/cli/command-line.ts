import { Command, CommanderError } from 'commander'
import { Problem } from '../model/problem.ts'
import { version } from '../server/version.ts'
import { addApply } from './apply.ts'
import { addAudit } from './audit.ts'
import { addCheck } from './check.ts'
import { addConfig } from './config.ts'
import { addConnector } from './connector.ts'
import { addExplain } from './explain.ts'
import { printFailure } from './failure.ts'
import { addHistory } from './history.ts'
import { addInit } from './init.ts'
import { addIssues } from './issues.ts'
import { addKey } from './key.ts'
import { addLinks } from './links.ts'
import { addLiveSync } from './live-sync.ts'
import type { Exit } from './options.ts'
import { addPlan } from './plan.ts'
import { addPlans } from './plans.ts'
import { addQuery } from './query.ts'
import { addQueue } from './queue.ts'
import { addRecon } from './recon.ts'
import { addRuns } from './runs.ts'
import { addServe } from './serve.ts'
import { addShow } from './show.ts'
import { addSystem } from './system.ts'
import { addUndo } from './undo.ts'

/** The exit code of the command that `argv` names. Every command sets it through `exit`. */
export async function commandLine(argv: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = newProgram()
  const exit: Exit =
    (action) =>
    async (...given) => {
      exitCode = await action(...given)
    }
  for (const add of [
    addInit,
    addCheck,
    addServe,
    addRecon,
    addPlan,
    addPlans,
    addShow,
    addApply,
    addUndo,
    addExplain,
    addRuns,
    addIssues,
    addLinks,
    addAudit,
    addQueue,
    addLiveSync,
    addHistory,
    addQuery,
    addConnector,
    addSystem,
    addConfig,
    addKey,
  ])
    add(program, exit)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Commander has already printed the help or the usage error.
    if (error.exitCode === 0) return 0
    if (argv.includes('--json'))
      printFailure(new Problem('BAD_REQUEST', error.message.replace(/^error: /, '')))
    return argv.includes('--detailed-exitcode') ? 1 : 2
  }
  return exitCode
}

function newProgram(): Command {
  return new Command('syncline')
    .description('Keeps identity data the same in many systems: connectors, mappings, links, reconciliation.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .showHelpAfterError('(add --help for the options and an example)')
    .showSuggestionAfterError(true)
}
