import type { CompileTools } from '../../feature/feature.ts'
import { below, type Finding } from '../../model/finding.ts'
import type { JsonObject } from '../../model/json.ts'
import { program as runScript } from '../../model/run-script.ts'
import type { RequestContext } from '../../router/resources.ts'
import { checkedScript } from '../../scripts/checked-script.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { lazyProgram } from '../../scripts/lazy-program.ts'
import type { TypeParts } from './compile.ts'
import type { Cryptography } from './encryption.ts'
import { declaredScripts, noScripts } from './scripts.ts'
import type { ManagedType } from './type.ts'

/** A managed type with its scripts read and checked. */
export interface UsableType {
  readonly type: ManagedType
  /** By the names of `declaredScripts`. */
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/** Reads and checks the scripts of a type; the places of findings are in the type. */
export async function readTypeScripts(
  type: ManagedType,
  { engine, readFile }: Pick<CompileTools, 'engine' | 'readFile'>,
): Promise<{ readonly scripts: UsableType['scripts']; readonly findings: readonly Finding[] }> {
  const scripts: Record<string, ScriptSource> = {}
  const findings: Finding[] = []
  const about = `managed object ${type.name}`
  for (const { name, pointer, definition } of declaredScripts(type)) {
    const label = `${about}, ${name.replaceAll('/', '.')}`
    const read = await checkedScript(definition, { label, about, engine, readFile })
    if (read.ok) scripts[name] = read.value
    else findings.push(...below(pointer, [read.finding]))
  }
  return { scripts, findings }
}

/** Loads a type's scripts into the sandbox when the first one runs. */
export function typeParts(
  { scripts }: UsableType,
  engine: ScriptEngine,
  cryptography: Cryptography,
): TypeParts & AsyncDisposable {
  const program = lazyProgram(engine, runScript, { scripts })
  const loaded = {
    has: (name: string) => Object.hasOwn(scripts, name),
    run: async (script: string, variables: JsonObject, request: RequestContext) =>
      program.one('runScript', { script, variables }, { request }),
  }
  return {
    cryptography,
    scripts: Object.keys(scripts).length > 0 ? loaded : noScripts,
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}
