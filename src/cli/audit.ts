import type { Command } from 'commander'
import { withApplication } from './application.ts'
import type { Done } from './command-line.ts'
import { example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

export function addAudit(program: Command, done: Done): void {
  const audit = program.command('audit').description('The records of what was done.')
  const verify = withProjectOptions(audit.command('verify'))
    .description(
      'Follow the chain of audit events: was one changed, removed or put in behind Syncline’s back?',
    )
    .action(async (options: ProjectOptions) => done(await verifyChain(options)))
  example(verify, 'syncline audit verify --project examples/hr-to-directory')
}

async function verifyChain(options: ProjectOptions): Promise<number> {
  return withApplication(folders(options), async ({ repository }) => {
    const verdict = await repository.audit.verify()
    const { broken, chained, unchained, last } = verdict
    if (options.json) console.log(JSON.stringify({ intact: broken === undefined, ...verdict }, null, 2))
    else if (broken) {
      const where = broken.id === '' ? '' : ` at ${broken.topic}/${broken.id} of ${broken.timestamp}`
      console.log(`${style('red', 'broken')}${where}: ${broken.why}`)
    } else {
      const older = unchained > 0 ? `; ${unchained} are older than the chain` : ''
      console.log(`${style('green', 'intact')}: ${chained} events${older}. Last hash: ${last || '(none)'}`)
    }
    return broken ? 1 : 0
  })
}
