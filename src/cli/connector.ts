import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Command, Option } from 'commander'
import { writeWhole } from '../config/live/write-file.ts'
import { formatProblem } from '../config/locate.ts'
import { Problem } from '../model/problem.ts'
import { checkOnly } from '../server/check.ts'
import { type Draft, draftConnector, requireFreeName, testDraft } from '../server/new-connector/draft.ts'
import { type GivenSettings, type NewSettings, newSettings } from '../server/new-connector/settings.ts'
import { type Template, type TemplateOption, templates } from '../server/new-connector/templates.ts'
import { withApplication } from './application.ts'
import { askFor, askSecretly } from './ask.ts'
import { type Exit, example, folders, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'
import { printTest } from './system.ts'

const examples: Readonly<Record<string, string>> = {
  ldap: 'ldap people --host ldap.example.com --base dc=example,dc=com --account cn=reader,dc=example,dc=com',
  table: 'table hr --url jdbc:postgresql://db.example.com/hr --user reader --table people --key id',
  csv: 'csv staff --file data/staff.csv --id employeeNumber',
  xml: 'xml staff --file data/staff.xml',
}

export function addConnector(program: Command, exit: Exit): void {
  const connector = program.command('connector').description('The connectors of a project.')
  const add = connector
    .command('add')
    .description(
      'Add a connector: test it, ask its system what it has, and write its configuration and a beginning of a mapping.',
    )
  for (const template of templates) {
    const command = withProjectOptions(add.command(`${template.name} <name>`))
      .description(template.kind.displayName)
      .option('--set <name=value>', 'any other setting; may be repeated', collect)
      .option('--dry-run', 'show what would be written')
    for (const option of template.options) command.addOption(optionOf(option))
    command.action(exit((name: string, options: AddOptions) => addOne(template, name, options)))
    example(command, `syncline connector add ${examples[template.name]}`)
  }
  example(add, ...templates.map(({ name }) => `syncline connector add ${examples[name]}`))
}

type AddOptions = ProjectOptions & {
  readonly set?: readonly string[]
  readonly dryRun?: boolean
  readonly [option: string]: unknown
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

function optionOf({ option, field, needed }: TemplateOption): Option {
  const help = `${field.help.replace(/\.$/, '')}${needed ? ' (needed)' : ''}`
  if (field.type === 'boolean') return new Option(`--${option}`, help)
  const made = new Option(`--${option} <value>`, help)
  return field.type === 'array' ? made.argParser(collect) : made
}

async function addOne(template: Template, name: string, options: AddOptions): Promise<number> {
  const given = await completed(template, options)
  const settings = newSettings(name, template, given)
  await findSecret(settings, options)
  return withApplication(options, async (application) => {
    const { project } = application
    requireFreeName(name, project)
    const connector = { name, template, settings }
    const tested = await testDraft(connector, application)
    if (!options.json) console.log(printTest(tested))
    if (tested.ok !== true) {
      if (options.json) console.log(JSON.stringify({ ...tested, files: [] }, null, 2))
      else console.log('\nNothing was written.')
      return 1
    }
    const draft = await draftConnector(connector, application)
    if (!options.dryRun) await write(project.folder, draft)
    if (options.json) console.log(JSON.stringify({ ...tested, ...draft }, null, 2))
    else tell(draft, name, settings, options)
    return options.dryRun ? 0 : checked(draft, options)
  })
}

/** Asks a person at a terminal for what must be given. */
async function completed(template: Template, options: AddOptions): Promise<GivenSettings> {
  const values: Record<string, string | boolean | readonly string[] | undefined> = {}
  for (const { option, field, needed } of template.options) {
    const value = options[option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())]
    if (typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value))
      values[option] = value
    else if (needed && !options.json)
      values[option] = await askFor(`${field.title} (${field.help.replace(/\.$/, '')})`)
  }
  return { options: values, others: options.set ?? [] }
}

/** The value of the secret is used for the test, and never written. */
async function findSecret({ secret }: NewSettings, { project, json }: AddOptions): Promise<void> {
  if (!secret) return
  const { property, environment, setting } = secret
  const known = (
    await checkOnly({
      projectFolder: folders({ project }).projectFolder,
      environment: process.env,
      flags: {},
      mayBeEmpty: true,
    })
  ).project.property(property)
  if (known !== undefined) return
  const value = json ? undefined : await askSecretly(`${setting} (not shown, not written)`)
  if (value === undefined)
    throw new Problem(
      'BAD_REQUEST',
      `The secret ${setting} is not known: put it into the environment as ${environment}, or into conf/boot/boot.properties as ${property}=…, and repeat the command`,
    )
  process.env[environment] = value
}

async function write(folder: string, { files }: Draft): Promise<void> {
  for (const { file, text } of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeWhole(join(folder, file), text)
  }
}

function tell(
  { files, mapping, notes }: Draft,
  name: string,
  { secret }: NewSettings,
  options: AddOptions,
): void {
  const where = `${options.project === '.' ? '' : ` --project ${options.project}`}${options.data === undefined ? '' : ` --data ${options.data}`}`
  for (const { file, text } of files) {
    if (options.dryRun) console.log(`\n${style('bold', file)} would be:\n${text.trimEnd()}`)
    else console.log(`${file === files[0]?.file ? '\n' : ''}Wrote ${file}`)
  }
  if (notes.length > 0) console.log(`\nTo know:\n${notes.map((note) => `  ${note}`).join('\n')}`)
  if (options.dryRun) {
    console.log('\nNothing was written.')
    return
  }
  const steps = [
    ...(secret
      ? [
          `  Keep the secret where the server finds it: in its environment as ${secret.environment}, or in conf/boot/boot.properties as ${secret.property}=…`,
        ]
      : []),
    `  syncline check${where}`,
    `  syncline system test ${name}${where}`,
    ...(mapping === undefined ? [] : [`  syncline plan ${mapping}${where}`]),
  ]
  console.log(`\nNext:\n${steps.join('\n')}`)
}

/** What `check` says of the files that were written. */
async function checked({ files }: Draft, options: AddOptions): Promise<number> {
  const { problems } = await checkOnly({
    ...folders(options),
    projectFolder: folders(options).projectFolder,
    environment: process.env,
    flags: {},
  })
  const own = problems.filter((problem) => files.some(({ file }) => problem.file === file))
  for (const problem of own) console.error(formatProblem(problem))
  return own.some(({ severity }) => severity === 'error') ? 2 : 0
}
