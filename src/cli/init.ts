import { resolve } from 'node:path'
import type { Command } from 'commander'
import { writeNewProject } from '../config/init.ts'
import { type Exit, example } from './options.ts'

export function addInit(program: Command, exit: Exit): void {
  const command = program
    .command('init [folder]')
    .description('Write a small project that runs: one connector, one mapping, three people.')
    .option('--json', 'one JSON document on stdout')
    .action(exit(init))
  example(command, 'syncline init my-project')
}

async function init(folder = '.', { json }: { readonly json?: boolean }): Promise<number> {
  const files = await writeNewProject(resolve(folder))
  if (json) {
    console.log(JSON.stringify({ folder: resolve(folder), files }))
    return 0
  }
  const project = folder === '.' ? '' : ` --project ${folder}`
  console.log(`Wrote ${files.length} files to ${resolve(folder)}:`)
  for (const file of files) console.log(`  ${file}`)
  const mapping = 'hrAccount_managedUser'
  console.log(
    `\nNext:\n  syncline check${project}\n  syncline plan ${mapping}${project}\n  syncline recon ${mapping}${project}`,
  )
  return 0
}
