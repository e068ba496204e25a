import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { locateProblem } from '../config/problem.ts'
import type { ConfigurationProblem, Project } from '../config/project.ts'
import { readProjectFile } from '../config/project-file.ts'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { program as runScript } from '../model/run-script.ts'
import { declaresPassword, declaresSecret, passwordAttributes } from '../model/secrecy.ts'
import { type ManagedType, propertiesOf } from '../objects/type/type.ts'
import type { AuditEvent } from '../repository/repository.ts'
import type { RequestContext } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { LoadedProgram, ScriptEngine } from '../scripts/engine.ts'
import { type AuditConfiguration, AuditService, type AuditServiceOptions } from './service.ts'
import { defaultSettings, readSettings } from './settings.ts'
import type { RunFilter } from './trail.ts'

/** The settings of `conf/audit.json` and the project's secret names; what of it does not happen is found with its place. */
export async function configuredAudit(
  project: Project,
  engine: ScriptEngine,
): Promise<{
  readonly audit: Omit<AuditConfiguration, 'runFilter'>
  readonly problems: readonly ConfigurationProblem[]
}> {
  const isSecret = secretNames(project)
  const document = project.documents.find(({ id }) => id === 'audit')
  if (!document?.content) return { audit: { settings: defaultSettings, isSecret }, problems: [] }
  const { settings, warnings } = readSettings(document.content, project.folder)
  const problems = warnings.map(({ place, fact }) =>
    locateProblem(document, place, fact, { severity: 'warning' }),
  )
  for (const [topic, { script }] of settings.filters) {
    if (!script) continue
    const place = ['eventTopics', topic, 'filter', 'script']
    const read = filterScript(script, project)
    const fault = read.ok ? (await engine.check(read.script))?.message : read.message
    if (fault !== undefined)
      problems.push(locateProblem(document, place, `audit filter of ${topic}: ${fault}`))
  }
  return { audit: { settings, isSecret }, problems }
}

export interface AuditSurroundings extends Pick<AuditServiceOptions, 'repository' | 'resources' | 'log'> {
  readonly dataFolder: string
}

/** The audit of one process; it knows nothing of a project until it is configured. */
export function openAudit({ dataFolder, ...options }: AuditSurroundings): AuditService {
  return new AuditService({
    ...options,
    fileKey: () => auditFileKey(dataFolder),
    print: (text) => new Promise((resolve) => process.stdout.write(text, () => resolve())),
  })
}

export interface FilterSurroundings {
  readonly project: Project
  readonly engine: ScriptEngine
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/**
 * Runs filter scripts over pages of events: one crossing for all that one request caused. A script that fails keeps the event:
 * a mistake in it must not hide anything.
 */
export function auditFilters({ project, engine, log }: FilterSurroundings): AsyncDisposable & {
  readonly run: RunFilter
} {
  const programs = new Map<JsonObject, Promise<LoadedProgram<typeof runScript>>>()
  function load(definition: JsonObject): Promise<LoadedProgram<typeof runScript>> {
    const read = filterScript(definition, project)
    if (!read.ok) throw new Problem('CONFIGURATION', read.message)
    const scripts = { filter: read.script }
    return engine.load(runScript, { scripts })
  }
  const run: RunFilter = async (definition, events) => {
    const program = programs.get(definition) ?? load(definition)
    programs.set(definition, program)
    const kept = new Map<AuditEvent, boolean>()
    const byRequest = Map.groupBy(events, ({ content }) => `${content.userId} ${content.transactionId}`)
    for (const some of byRequest.values()) {
      const inputs = some.map((event) => ({ script: 'filter', variables: { request: creation(event) } }))
      const outcomes = await (await program).run('runScript', inputs, { request: requestOf(some[0]) })
      outcomes.forEach((outcome, index) => {
        const value = outcome.ok ? outcome.value.value === true : true
        kept.set(some[index] as AuditEvent, value)
      })
      const failed = outcomes.find((outcome) => !outcome.ok)
      if (failed && !failed.ok) log('warn', `${failed.error.message}: the events are kept`)
    }
    return events.map((event) => kept.get(event) !== false)
  }
  return {
    run,
    async [Symbol.asyncDispose]() {
      for (const program of programs.values())
        await (await program.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}

/** What a script sees as the request: that the entry is made. */
function creation({ topic, id, content }: AuditEvent): JsonObject {
  return {
    ...{ method: 'create', resourcePath: `audit/${topic}`, newResourceId: id },
    content: { _id: id, ...content },
  }
}

/** On whose behalf; whatever the script asks for, it changes nothing. */
function requestOf(event: AuditEvent | undefined): RequestContext {
  const { userId, transactionId, roles } = event?.content ?? {}
  return {
    ...{
      external: false,
      readOnly: true,
      userId: String(userId ?? ''),
      transactionId: String(transactionId ?? ''),
    },
    roles: Array.isArray(roles) ? roles.map(String) : [],
  }
}

function filterScript(definition: JsonObject, project: Project) {
  const readFile = (path: string) => readProjectFile(project.folder, path)
  return scriptSource(definition, { label: 'audit filter', readFile })
}

/**
 * The key of the hashes in CSV files: a file of its own beside the store, made when it is first needed. Whoever can read it can
 * forge these files; it is not the key of encrypted values, and stays when that changes.
 */
export function auditFileKey(dataFolder: string): Buffer {
  const file = join(dataFolder, 'audit-key')
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url')
}

/** What a managed type keeps to itself, and what a connector calls a password, whatever the name. */
function secretNames(project: Project): (name: string) => boolean {
  // The schemas of these documents have made sure of the rest.
  const managed = project.declaredManagedObjects.flatMap(({ content }) =>
    propertiesOf((content as ManagedType).schema).filter(([, property]) => declaresSecret(property)),
  )
  const systems = project.connectors.flatMap(({ content }) =>
    attributesOf(content).filter(([, declared]) => declaresPassword(declared)),
  )
  const columns = project.connectors.flatMap(({ content }) =>
    passwordAttributes(content.configurationProperties),
  )
  const names = new Set([...[...managed, ...systems].map(([name]) => name), ...columns])
  return (name) => names.has(name)
}

function attributesOf({
  objectTypes,
}: JsonObject): readonly (readonly [name: string, declared: JsonObject])[] {
  return Object.values(isJsonObject(objectTypes) ? objectTypes : {}).flatMap((type) => {
    const properties = isJsonObject(type) && isJsonObject(type.properties) ? type.properties : {}
    return Object.entries(properties).flatMap(([name, declared]) =>
      isJsonObject(declared) ? [[name, declared] as const] : [],
    )
  })
}
