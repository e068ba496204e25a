import type { Command } from 'commander'
import { formatProblem } from '../config/locate.ts'
import { checkOnly } from '../server/check.ts'
import { isUsable } from '../server/usable.ts'
import { type Exit, example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

export function addCheck(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('check'))
    .description(
      'Check the whole configuration: every error with its file, line and remedy. Touches no system.',
    )
    .action(exit(check))
  example(command, 'syncline check --project examples/hr-to-directory')
}

async function check(options: ProjectOptions): Promise<number> {
  const { projectFolder } = folders(options)
  const checked = await checkOnly({ projectFolder, environment: process.env, flags: {} })
  const { problems } = checked
  const errors = problems.filter(({ severity }) => severity === 'error')
  const usable = {
    connectors: [...checked.systems.keys()],
    managedObjects: checked.types.map(({ type: { name } }) => name),
    mappings: [...checked.mappings.keys()].filter((name) => isUsable(checked, name)),
  }
  if (options.json) {
    console.log(JSON.stringify({ valid: errors.length === 0, problems, ...usable }, null, 2))
  } else {
    for (const problem of problems) console.log(formatProblem(problem))
    const parts = Object.entries(usable).map(([what, names]) => `  ${what}: ${names.join(', ') || 'none'}`)
    console.log(
      errors.length === 0
        ? style('green', 'The configuration is valid.')
        : style('red', errors.length === 1 ? '1 error.' : `${errors.length} errors.`),
    )
    console.log(`Usable:\n${parts.join('\n')}`)
  }
  return errors.length === 0 ? 0 : 2
}
