import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'

/** Makes the result of an action the exit code. */
export type Exit = <A extends readonly unknown[]>(
  action: (...given: A) => Promise<number>,
) => (...given: A) => Promise<void>

/** Options that every command on a project has. */
export interface ProjectOptions {
  readonly project: string
  readonly data?: string
  readonly json?: boolean
}

export function withProjectOptions(command: Command): Command {
  return command
    .option('--project <dir>', 'the project folder, with conf/ in it', '.')
    .option('--data <dir>', 'where the store is kept (default: <project>/.syncline)')
    .option('--json', 'one JSON document on stdout; logs go to stderr')
}

export function folders({ project, data }: ProjectOptions): { projectFolder: string; dataFolder: string } {
  const projectFolder = resolve(project)
  return { projectFolder, dataFolder: data === undefined ? join(projectFolder, '.syncline') : resolve(data) }
}

/** Shown at the end of a command's help. */
export function example(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`)
}

/** Parses an option that is a number of things. */
export function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.')
  return number
}
