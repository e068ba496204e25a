import type { Command } from 'commander'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

export function addSystem(program: Command, exit: Exit): void {
  const system = program.command('system').description('Connected systems.')
  const test = withProjectOptions(system.command('test [name]'))
    .description('Test one system, or all, step by step: connection, login, schema, two pages.')
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
    else for (const result of results) console.log(printTest(result))
    return results.every(({ ok }) => ok === true) ? 0 : 1
  })
}

/** The verdict on a system, and below it the steps of its test. */
export function printTest({ name, ok, error, steps }: JsonObject): string {
  const heading =
    ok === true ? `${style('green', 'ok')}    ${name}` : `${style('red', 'error')} ${name}: ${error}`
  const listed = Array.isArray(steps) ? steps.filter(isJsonObject) : []
  return [heading, ...listed.map((step) => stepLine(step, error))].join('\n')
}

/** The error of the heading is not said twice. */
function stepLine({ name, ok, took, detail = '', advice }: JsonObject, said: Json | undefined): string {
  const mark = ok === true ? style('green', 'ok    ') : style('red', 'failed')
  const told = detail === said ? '' : detail
  const line = `      ${mark} ${String(name).padEnd(11)} ${`${took} ms`.padStart(8)}  ${told}`.trimEnd()
  return advice === undefined ? line : `${line}\n             ${advice}`
}
