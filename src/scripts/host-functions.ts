import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { SecretValues } from '../model/secret-values.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import type { Secrets } from './engine.ts'
import { refusalOf } from './failure.ts'
import { type LogLevel, logLevel, logMessage } from './log-entry.ts'
import { isOpenidmName, isWrite, type OpenidmName, openidmCalls, refuseInDryRun } from './openidm.ts'
import type { Job } from './page-run.ts'
import type { Sandbox } from './sandbox.ts'
import type { ScriptFiles } from './script-files.ts'
import { isSecretName, type SecretName, secretCalls } from './secret-calls.ts'

/**
 * Everything that a script can reach outside its isolate. A call is a name and JSON text; the answer is JSON text, too:
 * `{value}` or `{error}`. Nothing else crosses the boundary: no function, no error object and no stack.
 */
export interface HostPorts {
  /** Late-bound: the router is built after the engine that its providers use. */
  resources(): Resources
  readonly secrets: Secrets
  properties(name: string): Json | undefined
  log(level: LogLevel, scriptLabel: string, message: string, args: readonly Json[]): void
  readonly files: ScriptFiles
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
    const value = await dispatch(ports, sandbox, job, name, argumentsOf(text))
    return JSON.stringify({ value })
  } catch (error) {
    return JSON.stringify({ error: refusalOf(error) })
  }
}

async function dispatch(
  ports: HostPorts,
  sandbox: Sandbox,
  job: Job,
  name: string,
  args: readonly Json[],
): Promise<Json | undefined> {
  if (isOpenidmName(name)) return callOpenidm(ports, sandbox, job, name, args)
  if (isSecretName(name)) return callSecrets(ports, sandbox, job, name, args)
  switch (name) {
    case 'log':
      return writeLog(ports, sandbox, job, args)
    case 'property':
      return typeof args[0] === 'string' ? ports.properties(args[0]) : undefined
    case 'require':
      return requireFile(ports, job, args)
    default:
      throw new Problem('BAD_REQUEST', `there is no function "${name}"`)
  }
}

function callOpenidm(
  { resources }: HostPorts,
  sandbox: Sandbox,
  job: Job,
  name: OpenidmName,
  args: readonly Json[],
): Promise<Json> {
  // Requests of a script do not inherit the parameters of the request for which it runs.
  const request: RequestContext = { ...job.context.request, external: false, parameters: undefined }
  refuseInDryRun(name, args, request)
  // Before the call: if the isolate dies meanwhile, it is unknown whether the call took effect.
  if (isWrite(name)) job.writers.add(sandbox.runningInput)
  return openidmCalls[name](args, request, resources())
}

async function callSecrets(
  { secrets }: HostPorts,
  { runningInput }: Sandbox,
  { decrypted }: Job,
  name: SecretName,
  args: readonly Json[],
): Promise<Json> {
  const value = await secretCalls[name](args, secrets)
  if (name === 'decrypt') decrypted.set(runningInput, [...(decrypted.get(runningInput) ?? []), value])
  return value
}

function writeLog({ log }: HostPorts, sandbox: Sandbox, job: Job, [level, args]: readonly Json[]): undefined {
  const [format, ...rest] = Array.isArray(args) ? args : []
  const label = job.program.scripts[sandbox.runningScript]?.label ?? ''
  const secrets = new SecretValues(job.decrypted.get(sandbox.runningInput))
  log(logLevel(level), label, secrets.hiddenIn(logMessage(format, rest)), rest)
}

async function requireFile({ files }: HostPorts, job: Job, [from, name]: readonly Json[]): Promise<Json> {
  const { file, modified, ...found } = await files.find(typeof from === 'string' ? from : '', name)
  job.loaded.required.set(file, modified)
  return found
}

function argumentsOf(text: string): readonly Json[] {
  const args: unknown = JSON.parse(text)
  if (!Array.isArray(args)) throw new Problem('BAD_REQUEST', 'the arguments must be a list')
  return args
}
