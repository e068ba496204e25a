import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import type { PolicyRequirement } from './built-in.ts'
import { program as policyProgram } from './program.ts'
import type { FailedProperty } from './validator.ts'

/**
 * A policy that a project defines itself (platform §6.3): files of JavaScript that call
 * `addPolicy({policyId, policyExec, policyRequirements, …})` and declare the function that `policyExec` names.
 */
export interface OwnPolicy {
  readonly policyId: string
  readonly policyRequirements: readonly string[]
  readonly validateOnlyIfPresent: boolean
  /** The text of its function, where clients may run it themselves (`clientValidation`). */
  readonly policyFunction: string | undefined
  /** The file, with a call of the function at its end. */
  readonly script: ScriptSource
}

/** The policies of a project, ready to run. */
export interface OwnPolicies {
  readonly known: ReadonlyMap<string, OwnPolicy>
  /** What the functions find wrong. SCRIPT_FAILED if one throws. */
  run(
    calls: readonly OwnPolicyCall[],
    about: { readonly fullObject: JsonObject; readonly resourcePath: string },
    request: RequestContext,
  ): Promise<readonly FailedProperty[]>
}

export interface OwnPolicyCall {
  readonly policyId: string
  /** Undefined: there is no value. */
  readonly value: Json | undefined
  readonly params: JsonObject
  readonly property: string
}

export const noOwnPolicies: OwnPolicies = { known: new Map(), run: async () => [] }

/** What a file declares. Throws a Problem for a file that cannot be run, or an entry that is not a policy. */
export async function policiesIn(file: ScriptSource, engine: ScriptEngine): Promise<readonly OwnPolicy[]> {
  const broken = await engine.check(file)
  if (broken) throw broken
  const added = await declared(file, engine)
  const found = added.map((entry) => policyIn(entry, file))
  const functions = await functionTexts(
    file,
    found.map(({ policyExec }) => policyExec),
    engine,
  )
  return found.map(({ entry, policyId, policyExec }) => {
    const text = functions[policyExec]
    if (typeof text !== 'string')
      throw misdeclared(
        file,
        `policy "${policyId}" names the function ${policyExec}, which the file does not declare`,
      )
    const { policyRequirements } = entry
    return {
      policyId,
      policyRequirements: Array.isArray(policyRequirements) ? policyRequirements.map(String) : [],
      validateOnlyIfPresent: isSet(entry.validateOnlyIfPresent),
      policyFunction: isSet(entry.clientValidation) ? text : undefined,
      script: ending(file, `policy ${policyId}`, callOf(policyExec)),
    }
  })
}

/** Older files write the text. */
function isSet(flag: Json | undefined): boolean {
  return flag === true || flag === 'true'
}

async function declared(file: ScriptSource, engine: ScriptEngine): Promise<readonly Json[]> {
  await using program = engine.load(policyProgram, { scripts: { file } })
  return program.one('declaredPolicies', 'file', { request: reading })
}

function policyIn(entry: Json, file: ScriptSource) {
  const { policyId, policyExec } = isJsonObject(entry) ? entry : {}
  if (
    typeof policyId !== 'string' ||
    typeof policyExec !== 'string' ||
    !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(policyExec)
  )
    throw misdeclared(
      file,
      'addPolicy needs an object with "policyId", and "policyExec" with the name of a function',
    )
  return { entry: entry as JsonObject, policyId, policyExec }
}

async function functionTexts(
  file: ScriptSource,
  names: readonly string[],
  engine: ScriptEngine,
): Promise<JsonObject> {
  const members = names.map(
    (name) => `${JSON.stringify(name)}: typeof ${name} === 'function' ? String(${name}) : null`,
  )
  const scripts = { texts: ending(file, file.label, `({${members.join(', ')}})`) }
  await using program = engine.load(policyProgram, { scripts })
  const call = { script: 'texts', value: null, params: {}, property: '' }
  const [texts] = await program.one('judged', { calls: [call] }, { request: reading })
  return isJsonObject(texts) ? texts : {}
}

/** `this` is what it is in the original; few functions look at it. */
function callOf(name: string): string {
  return `${name}.call({failedPolicyRequirements: [], allPolicyRequirements: []}, fullObject, value, params, property)`
}

/** On a line of its own, so that places in the file stay right and a comment at its end ends there. */
function ending(file: ScriptSource, label: string, expression: string): ScriptSource {
  return {
    ...file,
    label,
    source: `${file.source}\n;${usesLodash.test(file.source) ? lodash : ''}${expression}`,
  }
}

/** The shipped policy.js, in whose scope such files run in the original, has lodash under this name. */
const usesLodash = /(?<![\w$.])_\s*[.(]/
const lodash = "if (typeof _ === 'undefined') var _ = require('lib/lodash');"

function misdeclared(file: ScriptSource, message: string): Problem {
  return new Problem('CONFIGURATION', `${file.label}: ${message}`)
}

const reading = {
  external: false,
  userId: 'system',
  roles: [],
  transactionId: 'configuration',
  readOnly: true,
}

/** Loaded into the sandbox when the first one runs. */
export function ownPolicies(
  known: OwnPolicies['known'],
  engine: ScriptEngine,
): OwnPolicies & AsyncDisposable {
  const scripts = Object.fromEntries([...known].map(([id, { script }]) => [id, script]))
  const program = engine.load(policyProgram, { scripts })
  return {
    known,
    async run(all, { fullObject, resourcePath }, request) {
      const calls = all.filter(
        ({ policyId, value }) => value !== undefined || !known.get(policyId)?.validateOnlyIfPresent,
      )
      if (calls.length === 0) return []
      const input = {
        calls: calls.map(({ policyId, ...call }) => ({ ...call, script: policyId })),
        fullObject,
        resourceName: resourcePath,
        // The request that the policy service would get (platform §7.3).
        request: {
          ...{ method: 'action', action: 'validateObject', resourcePath, content: fullObject },
          additionalParameters: { ...request.parameters },
        },
      }
      const answers = await program.one('judged', input, { request })
      return calls.flatMap(({ property, policyId }, index) => {
        const policyRequirements = requirementsIn(answers[index] ?? null, policyId)
        return policyRequirements.length > 0 ? [{ property, policyRequirements }] : []
      })
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

function requirementsIn(answer: Json, policyId: string): PolicyRequirement[] {
  const found = answer === null ? [] : answer
  if (
    Array.isArray(found) &&
    found.every((one) => isJsonObject(one) && typeof one.policyRequirement === 'string')
  )
    return found as PolicyRequirement[]
  throw new Problem(
    'SCRIPT_FAILED',
    `policy "${policyId}": its function must return a list of {policyRequirement, params}, empty if all is well`,
  )
}
