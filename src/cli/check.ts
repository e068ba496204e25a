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
    .option('--strict', 'fail if there are warnings, too')
    .action(exit(check))
  example(command, 'syncline check --project examples/hr-to-directory')
}

interface CheckOptions extends ProjectOptions {
  readonly strict?: boolean
}

async function check({ strict = false, ...options }: CheckOptions): Promise<number> {
  const { projectFolder } = folders(options)
  const checked = await checkOnly({ projectFolder, environment: process.env, flags: {} })
  const { problems } = checked
  const errors = problems.filter(({ severity }) => severity === 'error')
  const fails = errors.length > 0 || (strict && problems.length > 0)
  const usable = {
    connectors: [...checked.systems.keys()],
    managedObjects: checked.types.map(({ type: { name } }) => name),
    mappings: [...checked.mappings.keys()].filter((name) => isUsable(checked, name)),
  }
  if (options.json) {
    console.log(JSON.stringify({ valid: !fails, problems, ...usable }, null, 2))
  } else {
    for (const problem of problems) console.log(formatProblem(problem))
    const parts = Object.entries(usable).map(([what, names]) => `  ${what}: ${names.join(', ') || 'none'}`)
    console.log(summary(errors.length, problems.length - errors.length, fails))
    console.log(`Usable:\n${parts.join('\n')}`)
  }
  return fails ? 2 : 0
}

function summary(errors: number, warnings: number, fails: boolean): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  const some = warnings > 0 ? count(warnings, 'warning') : undefined
  if (!fails) return style('green', `The configuration is valid${some ? `, with ${some}` : ''}.`)
  const counts = [errors > 0 ? count(errors, 'error') : undefined, some].filter((one) => one !== undefined)
  return style('red', `${counts.join(' and ')}${errors === 0 ? ', and --strict allows none' : ''}.`)
}
