import type { Command } from 'commander'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'

interface RotateOptions extends ProjectOptions {
  readonly forgetOld?: boolean
}

export function addKey(program: Command, exit: Exit): void {
  const key = program.command('key').description('The key that secrets are encrypted with.')
  const rotate = withProjectOptions(key.command('rotate'))
    .description('Make a new key and encrypt everything anew. A server may go on meanwhile.')
    .option(
      '--forget-old',
      'then drop the keys before it; secrets in the history of the configuration and in backups are lost with them',
    )
    .action(exit(rotateKey))
  example(rotate, 'syncline key rotate --project examples/hr-to-directory')
}

async function rotateKey(options: RotateOptions): Promise<number> {
  return withApplication(options, async (application) => {
    const counts = await application.rotateKey({ forgetOld: options.forgetOld === true })
    if (options.json) console.log(JSON.stringify(counts, null, 2))
    else {
      const { configuration, objects, queue } = counts
      console.log(
        `Encrypted anew: ${configuration} configuration objects, ${objects} objects, ${queue} waiting changes.`,
      )
      if (!options.forgetOld) console.log('The keys before it still open what they have encrypted.')
    }
    return 0
  })
}
