import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { parseJson } from '../model/json-text.ts'
import { messageOf, Problem } from '../model/problem.ts'
import { withMapping } from './application.ts'
import { hintHere } from './named-command.ts'
import { type Exit, example, type ProjectOptions, withProjectOptions } from './options.ts'
import { style } from './style.ts'

interface ExplainOptions extends ProjectOptions {
  readonly target?: string
  readonly qualifier?: string
  readonly sourceJson?: string
}

export function addExplain(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('explain <mapping> [sourceId]'))
    .description(
      'Why an object is treated as it is, and where each value of its target comes from. Writes nothing.',
    )
    .option('--target <id>', 'a target object instead, as the target phase would meet it')
    .option('--qualifier <name>', 'only under this link qualifier')
    .option(
      '--source-json <file|json>',
      'what if these attributes of the source object were so? null: without one',
    )
    .action(exit(explain))
  example(
    command,
    'syncline explain hrAccount_managedUser 1001 --project examples/hr-to-directory',
    `syncline explain hrAccount_managedUser 1001 --source-json '{"status": "terminated"}'`,
  )
}

async function explain(
  mapping: string,
  sourceId: string | undefined,
  options: ExplainOptions,
): Promise<number> {
  return withMapping(options, mapping, async ({ resources, administrator }) => {
    const { target, qualifier, sourceJson } = options
    const parameters: Record<string, string> = { mapping }
    if (sourceId !== undefined) parameters.sourceId = sourceId
    if (target !== undefined) parameters.targetId = target
    if (qualifier !== undefined) parameters.linkQualifier = qualifier
    const content = sourceJson === undefined ? null : { source: sourceOption(sourceJson), merge: true }
    const action = { name: 'explain', content, parameters }
    const explanation = await resources.action('sync', action, administrator)
    if (options.json) console.log(JSON.stringify(explanation, null, 2))
    else if (isJsonObject(explanation))
      for (const decision of objectsIn(explanation.decisions)) print(explanation, decision, options)
    return 0
  })
}

/** JSON text, or a file that contains it. */
function sourceOption(option: string): JsonObject {
  const text = /^\s*[[{"]/.test(option) ? option : fileText(option)
  try {
    const object = parseJson(text)
    if (isJsonObject(object)) return object
  } catch (cause) {
    throw new Problem('BAD_REQUEST', `--source-json is no JSON: ${messageOf(cause)}`, { cause })
  }
  throw new Problem('BAD_REQUEST', '--source-json must be an object: the attributes of the source')
}

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Problem('BAD_REQUEST', `--source-json ${file} cannot be read: ${messageOf(cause)}`, {
      cause,
    })
  }
}

function print(explanation: JsonObject, decision: JsonObject, where: ProjectOptions): void {
  const { source, target } = explanation
  const { sourceId, targetId, situation, action, reason, linkQualifier, correlation } = decision
  const ids = `${source}/${sourceId ?? '(none)'} → ${target}/${targetId ?? '(new)'}`
  const qualifier = linkQualifier === 'default' ? '' : `  [${linkQualifier}]`
  console.log(`${style('bold', `${situation ?? 'FAILED'} ${action ?? ''}`)}  ${ids}${qualifier}`)
  console.log(`  because   ${reason}`)
  if (isJsonObject(decision.disqualifiedBy)) console.log(`  rule      ${ruleText(decision.disqualifiedBy)}`)
  if (correlation !== null) console.log(`  asked     ${target}: ${correlation}`)
  for (const line of candidateLines(decision, String(target))) console.log(`  found     ${line}`)
  for (const line of policyLines(decision)) console.log(`  policy    ${line}`)
  if (decision.refusal !== undefined) console.log(`  ${style('red', 'but')}       ${decision.refusal}`)
  const way = wayOut(String(situation), String(explanation.mapping))
  if (way !== undefined) console.log(`  way out   ${hintHere(way, where)}`)
  if (decision.unforeseen !== undefined) console.log(`  unknown   ${decision.unforeseen}`)
  for (const attribute of objectsIn(decision.attributes)) printAttribute(attribute)
}

/** What correlation found, where it did not find the one that is taken. */
function candidateLines({ candidates, targetId }: JsonObject, target: string): readonly string[] {
  const found = objectsIn(candidates)
  if (found.length === 1 && found[0]?.id === targetId && found[0]?.linked !== true) return []
  return found.map(
    ({ id, linked }) => `${target}/${id}${linked === true ? ', linked to another source' : ''}`,
  )
}

/** For situations that leave an object to a person. */
function wayOut(situation: string, mapping: string): string | undefined {
  const resolve = `or decide this one: \`syncline issues --mapping ${mapping}\``
  switch (situation) {
    case 'AMBIGUOUS':
      return `let the correlation of ${mapping} ask for what tells these apart, ${resolve}`
    case 'FOUND_ALREADY_LINKED':
      return `if both sources are one person, remove one; if not, let the correlation tell them apart, ${resolve}`
    case 'UNASSIGNED':
      return `a source that correlation leads here, or a policy for UNASSIGNED, ${resolve}`
    default:
      return undefined
  }
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

function ruleText({ rule, definition }: JsonObject): string {
  return `${rule}: ${scriptText(definition)}`
}

function policyLines({ policies, policy, situation }: JsonObject): string[] {
  const tried = objectsIn(policies).map(({ policy: index, held, condition, action }) => {
    const when = condition === null ? 'always' : `if ${scriptText(condition)}`
    return `${Number(index) + 1} ${when}: ${held ? `yes, ${scriptText(action)}` : 'no'}`
  })
  return policy === null && situation !== null ? [...tried, 'the default of the situation'] : tried
}

function printAttribute({ attribute, before, after, changes, origins }: JsonObject): void {
  const show = (value: Json | undefined) => (value === undefined ? '(none)' : JSON.stringify(value))
  const sign = changes ? style('yellow', '~') : ' '
  const values = changes ? `${show(before)} → ${show(after)}` : show(after)
  console.log(`  ${sign} ${attribute}: ${values}`)
  for (const origin of objectsIn(origins)) console.log(style('dim', `        ${originText(origin)}`))
}

/** `properties/3: transform of mail, script/mail.js` */
function originText({ by, property, how, source, script, condition }: JsonObject): string {
  if (by !== 'property') return `${by}${script === undefined ? '' : `: ${scriptText(script)}`}`
  const place = `properties/${property}`
  const from = source === undefined ? '' : source === '' ? ' of the whole source' : ` of ${source}`
  const code = script === undefined ? '' : `, ${scriptText(script)}`
  switch (how) {
    case 'condition':
      return `${place}: left as it is, for the condition does not hold: ${scriptText(condition)}`
    case 'transform':
      return `${place}: transform${from}${code}`
    case 'default':
      return source === undefined && script === undefined
        ? `${place}: always this value`
        : `${place}: default, because there is no value${from}${code}`
    case 'nothing':
      return `${place}: nothing${from}${code}`
    default:
      return `${place}: value${from}`
  }
}

/** A script by its file or its first line, a filter as text. */
function scriptText(script: Json | undefined): string {
  if (!isJsonObject(script)) return String(script)
  if (typeof script.file === 'string') return script.file
  const [line = '', ...more] = String(script.source ?? '').split('\n')
  return more.length > 0 ? `${line} …` : line
}
