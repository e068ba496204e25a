import type { Json } from '../model/json.ts'
import { checkJsonText, deepest } from '../model/json-text.ts'
import { messageOf, Problem } from '../model/problem.ts'
import { SecretValues } from '../model/secret-values.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import type { Secrets } from './engine.ts'
import { isOpenidmName, type OpenidmName, openidmCalls, openidmWrites } from './openidm.ts'
import { type Job, secretsOf } from './page-run.ts'
import type { Sandbox } from './sandbox.ts'
import type { ScriptFiles } from './script-files.ts'
import { isSecretName, type SecretName, secretCalls } from './secret-calls.ts'

const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const

/**
 * Everything that a script can reach outside its isolate. A call is a name and JSON text; the answer is JSON text, too:
 * `{value}` or `{error}`. Nothing else crosses the boundary: no function, no error object and no stack.
 */
export interface HostPorts {
  /** Late-bound: the router is built after the engine that its providers use. */
  resources(): Resources
  readonly secrets: Secrets
  /** `identityServer.getProperty`. */
  properties(name: string): Json | undefined
  log(level: (typeof levels)[number], scriptLabel: string, message: string, args: readonly Json[]): void
  readonly files: ScriptFiles
}

/** One call of a script: the isolate that it comes from, and the work that this isolate is doing. */
interface HostCall {
  readonly ports: HostPorts
  readonly sandbox: Sandbox
  readonly job: Job
  readonly args: readonly Json[]
}

/** Never rejects. `job` is undefined only if a script has outlived its run. */
export async function answerScript(
  ports: HostPorts,
  sandbox: Sandbox,
  job: Job | undefined,
  name: string,
  text: string,
): Promise<string> {
  try {
    if (!job) throw new Problem('UNAVAILABLE', 'the run that started this script has ended')
    if (job.context.signal?.aborted) throw new Problem('UNAVAILABLE', 'the run has been cancelled')
    const call = { ports, sandbox, job, args: argumentsOf(text) }
    const value = await (name === 'ask'
      ? askCaller(call)
      : job.budget.call(sandbox.runningInput, () => dispatch(name, call)))
    return JSON.stringify({ value })
  } catch (error) {
    return JSON.stringify({ error: refusalOf(error) })
  }
}

/** An error of the host as a script sees it: the fields of an error answer, never a stack. */
export function refusalOf(error: unknown): { code: number; message: string; detail?: unknown } {
  if (!(error instanceof Problem)) return { code: 500, message: messageOf(error) }
  const { status, message, detail } = error
  return detail === undefined ? { code: status, message } : { code: status, message, detail }
}

async function dispatch(name: string, call: HostCall): Promise<Json | undefined> {
  if (isOpenidmName(name)) return callOpenidm(name, call)
  if (isSecretName(name)) return callSecrets(name, call)
  const { ports, args } = call
  switch (name) {
    case 'log':
      return writeLog(call)
    case 'property':
      return typeof args[0] === 'string' ? ports.properties(args[0]) : undefined
    case 'require':
      return requireFile(call)
    default:
      throw new Problem('BAD_REQUEST', `there is no function "${name}"`)
  }
}

/** As long as it takes: a reader may want the next objects of a long listing only much later. */
async function askCaller({ sandbox, job, args: [name, args] }: HostCall): Promise<Json | undefined> {
  const { runningInput } = sandbox
  const { functions = {} } = job.context
  const asked = typeof name === 'string' && Object.hasOwn(functions, name) ? functions[name] : undefined
  if (!asked) throw new Problem('BAD_REQUEST', `the caller has no function ${JSON.stringify(name)}`)
  job.budget.count(runningInput)
  job.writers.add(runningInput)
  return asked(Array.isArray(args) ? args : [], job.places[runningInput] ?? runningInput)
}

function callOpenidm(name: OpenidmName, { ports, sandbox, job, args }: HostCall): Promise<Json> {
  // Requests of a script do not inherit the parameters of the request for which it runs.
  const request: RequestContext = { ...job.context.request, external: false, parameters: undefined }
  if (openidmWrites.has(name)) {
    if (request.readOnly) {
      const fact = `openidm.${name} of ${String(args[0])} is refused, because nothing may change`
      request.onRefusedWrite?.(fact)
      throw new Problem('FORBIDDEN', `dry run: ${fact}`)
    }
    // Before the call: if the isolate dies meanwhile, it is unknown whether the call took effect.
    job.writers.add(sandbox.runningInput)
  }
  return openidmCalls[name](args, request, ports.resources())
}

async function callSecrets(name: SecretName, { ports, sandbox, job, args }: HostCall): Promise<Json> {
  const { runningInput } = sandbox
  const { decrypted } = job
  const value = await secretCalls[name](args, ports.secrets)
  if (name === 'decrypt') decrypted.set(runningInput, [...(decrypted.get(runningInput) ?? []), value])
  return value
}

function writeLog({ ports, sandbox, job, args: [level, args] }: HostCall): undefined {
  const [format, ...rest] = Array.isArray(args) ? args : []
  const label = job.program.scripts[sandbox.runningScript]?.label ?? ''
  const known = levels.find((one) => one === level) ?? 'info'
  const { runningInput } = sandbox
  const message = new SecretValues(secretsOf(job, runningInput)).hiddenIn(logMessage(format, rest))
  const loggable = job.budget.loggable(runningInput, message)
  if (loggable !== undefined) ports.log(known, label, loggable, rest)
}

/** `logger.info('{} has no mail', id)` as one line (platform §7.3): the arguments without a `{}` follow at the end. */
function logMessage(format: Json | undefined, args: readonly Json[]): string {
  const rest = args.map(shown)
  const text = shown(format ?? null).replace(/\{\}/g, (placeholder) => rest.shift() ?? placeholder)
  return [text, ...rest].join(' ').slice(0, longest)
}

/** A script may log a whole object set by mistake. */
const longest = 16_384

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

async function requireFile({ ports, job, args: [from, name] }: HostCall): Promise<Json> {
  const { file, modified, ...found } = await ports.files.find(typeof from === 'string' ? from : '', name)
  job.loaded.required.set(file, modified)
  return found
}

/** Within the limits of what comes from outside; the list of arguments is one level more. */
function argumentsOf(text: string): readonly Json[] {
  checkJsonText(text, deepest + 1)
  const args: unknown = JSON.parse(text)
  if (!Array.isArray(args)) throw new Problem('BAD_REQUEST', 'the arguments must be a list')
  return args
}
