import { commandLine } from './cli/command-line.ts'
import { reportFailure } from './cli/failure.ts'

/** Runs the command line; answers the exit code: 0 done, 1 a run failed, 2 usage or configuration, 3 objects of a run failed. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await commandLine(argv)
  } catch (error) {
    return reportFailure(error, { json: argv.includes('--json') })
  }
}
