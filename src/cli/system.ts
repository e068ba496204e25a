import type { Command } from 'commander'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

export function addSystem(program: Command, exit: Exit): void {
  const system = program.command('system').description('Connected systems.')
  const test = withProjectOptions(system.command('test [name]'))
    .description('Test the connection to one system, or to all.')
    .action(exit(testSystems))
  example(test, 'syncline system test hr --project examples/hr-to-directory')
}

async function testSystems(name: string | undefined, options: ProjectOptions): Promise<number> {
  return withApplication(options, async ({ resources, administrator }) => {
    const path = name === undefined ? 'system' : `system/${encodeURIComponent(name)}`
    const action = { name: 'test', content: null, parameters: {} }
    const answer = await resources.action(path, action, administrator)
    const results = (Array.isArray(answer) ? answer : [answer]).filter(isJsonObject)
    if (options.json) console.log(JSON.stringify(results, null, 2))
    else for (const result of results) console.log(verdict(result))
    return results.every(({ ok }) => ok === true) ? 0 : 1
  })
}

function verdict({ name, ok, error }: JsonObject): string {
  return ok === true ? `${style('green', 'ok')}    ${name}` : `${style('red', 'error')} ${name}: ${error}`
}
