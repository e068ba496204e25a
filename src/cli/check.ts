import type { Command } from 'commander'
import { checkApplication } from '../app.ts'
import { formatProblem } from '../config/problem.ts'
import type { Done } from './command-line.ts'
import { example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

export function addCheck(program: Command, done: Done): void {
  const command = withProjectOptions(program.command('check'))
    .description(
      'Check the whole configuration: every error with its file, line and remedy. Touches no system.',
    )
    .action(async (options: ProjectOptions) => done(await check(options)))
  example(command, 'syncline check --project examples/hr-to-directory')
}

async function check(options: ProjectOptions): Promise<number> {
  const { projectFolder } = folders(options)
  const checked = await checkApplication({ projectFolder, environment: process.env, flags: {} })
  const errors = checked.problems.filter(({ severity }) => severity === 'error')
  if (options.json) {
    console.log(JSON.stringify({ valid: errors.length === 0, ...checked }, null, 2))
  } else {
    for (const problem of checked.problems) console.log(formatProblem(problem))
    const parts = `${checked.connectors.length} connectors, ${checked.managedObjects.length} managed object types, ${checked.mappings.length} mappings`
    const verdict = errors.length === 0 ? style('green', 'valid') : style('red', `${errors.length} errors`)
    console.log(`${verdict}: ${parts} usable`)
  }
  return errors.length === 0 ? 0 : 2
}
