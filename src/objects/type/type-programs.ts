import { locateProblem } from '../../config/problem.ts'
import type { ConfigurationProblem, Project } from '../../config/project.ts'
import { program as runScript } from '../../model/run-script.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { LoadedProgram, ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import type { TypeParts } from './compile.ts'
import type { Cryptography } from './encryption.ts'
import { declaredScripts, noScripts, type ScriptResult, type TypeScripts } from './scripts.ts'
import type { ManagedType } from './type.ts'

/** A managed type with its scripts read and checked. */
export interface UsableType {
  readonly type: ManagedType
  /** By the names of `declaredScripts`. */
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

type Declared = Project['declaredManagedObjects'][number]

/** Reads and checks the scripts of a type; what is wrong with them is found with its place. */
export async function readTypeScripts(
  project: Project,
  { document, pointer, name }: Declared,
  type: ManagedType,
  engine: ScriptEngine,
): Promise<{ readonly scripts: Record<string, ScriptSource>; readonly problems: ConfigurationProblem[] }> {
  const scripts: Record<string, ScriptSource> = {}
  const problems: ConfigurationProblem[] = []
  for (const declared of declaredScripts(type)) {
    const label = `managed object ${name}, ${declared.name.replaceAll('/', '.')}`
    const read = scriptSource(declared.definition, {
      label,
      readFile: project.readFile,
    })
    const place = [...pointer, ...declared.pointer]
    if (!read.ok) {
      problems.push(
        locateProblem(document, [...place, ...read.pointer], `managed object ${name}: ${read.message}`),
      )
      continue
    }
    const error = await engine.check(read.script)
    if (error) problems.push(locateProblem(document, place, error.message))
    else scripts[declared.name] = read.script
  }
  return { scripts, problems }
}

/** Loads a type's scripts into the sandbox when the first one runs. */
export function typeParts(
  { scripts }: UsableType,
  engine: ScriptEngine,
  cryptography: Cryptography,
): TypeParts & AsyncDisposable {
  let program: Promise<LoadedProgram<typeof runScript>> | undefined
  const loaded: TypeScripts = {
    has: (name) => Object.hasOwn(scripts, name),
    async run(script, variables, request) {
      program ??= engine.load(runScript, { scripts })
      const [outcome] = await (await program).run('runScript', [{ script, variables }], { request })
      if (!outcome?.ok) throw outcome?.error
      return outcome.value as unknown as ScriptResult
    },
  }
  return {
    cryptography,
    scripts: Object.keys(scripts).length > 0 ? loaded : noScripts,
    async [Symbol.asyncDispose]() {
      await (await program)?.[Symbol.asyncDispose]()
    },
  }
}
