import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { auditFileKey } from '../audit/file-key.ts'
import { positionKey } from '../audit/follower.ts'
import type { FileHandlerSettings } from '../audit/settings.ts'
import { verifyCsv } from '../audit/verify-csv.ts'
import { isJsonObject } from '../model/json.ts'
import { getAt } from '../model/pointer.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Application } from '../server/application.ts'
import { withApplication } from './application.ts'
import { type Exit, example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

interface VerifyOptions extends ProjectOptions {
  readonly file?: string
}

export function addAudit(program: Command, exit: Exit): void {
  const audit = program.command('audit').description('The records of what was done.')
  const command = withProjectOptions(audit.command('verify'))
    .description(
      'Follow the chain of audit events: was one changed, removed or put in behind Syncline’s back? Events that ' +
        'Syncline removed itself, as its retention says, are accepted. With --file, a CSV file of an audit handler ' +
        'that has hashes.',
    )
    .option('--file <path>', 'a CSV file of the audit, instead of the store')
    .action(exit(verify))
  example(command, 'syncline audit verify --project examples/hr-to-directory')
}

function verify(options: VerifyOptions): Promise<number> {
  return options.file === undefined ? verifyChain(options) : verifyFile(options, options.file)
}

async function verifyChain(options: ProjectOptions): Promise<number> {
  return withApplication(options, async ({ repository }) => {
    const verdict = await repository.audit.verify()
    const { broken, chained, unchained, removed, last } = verdict
    if (options.json) console.log(JSON.stringify({ intact: broken === undefined, ...verdict }, null, 2))
    else if (broken) {
      const where = broken.id === '' ? '' : ` at ${broken.topic}/${broken.id} of ${broken.timestamp}`
      console.log(`${style('red', 'broken')}${where}: ${broken.why}`)
    } else {
      const gone = removed > 0 ? `; ${removed} were removed by Syncline, as recorded in audit/retention` : ''
      const older = unchained > 0 ? `; ${unchained} are older than the chain` : ''
      console.log(
        `${style('green', 'intact')}: ${chained} events${gone}${older}. Last hash: ${last || '(none)'}`,
      )
    }
    return broken ? 1 : 0
  })
}

async function verifyFile(options: ProjectOptions, file: string): Promise<number> {
  return withApplication(options, async (application) => {
    const handler = handlerOf(application, file)
    const verdict = verifyCsv(textOf(file), auditFileKey(folders(options).dataFolder), handler?.format.quote)
    if (!verdict)
      throw new Problem('BAD_REQUEST', `${file} has no column of hashes: there is nothing to verify`)
    const expected = await lastWritten(application, file)
    const cut = expected !== undefined && expected !== verdict.last
    const broken =
      verdict.broken ?? (cut ? { line: verdict.rows + 2, why: 'the last rows are missing' } : undefined)
    if (options.json)
      console.log(JSON.stringify({ intact: broken === undefined, ...verdict, broken }, null, 2))
    else if (broken) console.log(`${style('red', 'broken')} at line ${broken.line}: ${broken.why}`)
    else
      console.log(`${style('green', 'intact')}: ${verdict.rows} rows. Last hash: ${verdict.last || '(none)'}`)
    return broken ? 1 : 0
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Problem('NOT_FOUND', `${file} cannot be read: ${asProblem(error).message}`, { cause: error })
  }
}

/** The handler of the file: the one that writes hashes into its folder. */
function handlerOf({ audit }: Application, file: string): FileHandlerSettings | undefined {
  return audit.trail.settings.handlers
    .flatMap((one) => (one.kind === 'csv' ? [one] : []))
    .find(({ evident, folder }) => evident && resolve(folder) === dirname(resolve(file)))
}

/** The hash of the last row that a handler wrote to its current file; undefined for any other file. */
async function lastWritten(application: Application, file: string): Promise<string | undefined> {
  const topic = /^(.*)\.csv$/.exec(basename(file))?.[1]
  const handler = handlerOf(application, file)
  if (topic === undefined || !handler) return undefined
  const position = await application.repository.settings.read(positionKey(handler.name))
  const hash = isJsonObject(position) ? getAt(position, ['hashes', topic]) : undefined
  return typeof hash === 'string' ? hash : undefined
}
