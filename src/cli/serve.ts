import type { Command } from 'commander'
import { type Exit, example, withProjectOptions } from './options.ts'
import type { ServeOptions } from './serving.ts'

export function addServe(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('serve'))
    .description('Run the server with its REST interface under /openidm.')
    .option('--port <n>', 'TCP port; 0 takes a free one (default: property openidm.port.http, or 8080)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .action(exit(serve))
  example(command, 'syncline serve --project examples/hr-to-directory --port 8080')
}

/** What listens is loaded by this command only: it takes longer to load than other commands to run. */
async function serve(options: ServeOptions): Promise<number> {
  return (await import('./serving.ts')).serve(options)
}
