import type {
  LoadedProgram,
  ProcedureInput,
  ProcedureName,
  ProcedureOutput,
  Program,
  ProgramParts,
  ScriptContext,
  ScriptEngine,
} from './engine.ts'

/** A program that is loaded into the sandbox when it first runs, and unloaded on disposal. */
export interface LazyProgram<P extends Program> extends LoadedProgram<P> {
  /** Runs for one input; throws the failure of its scripts. */
  one<N extends ProcedureName<P>>(
    procedure: N,
    input: ProcedureInput<P, N>,
    context: ScriptContext,
  ): Promise<ProcedureOutput<P, N>>
}

export function lazyProgram<P extends Program>(
  engine: Pick<ScriptEngine, 'load'>,
  program: P,
  parts: ProgramParts<P>,
): LazyProgram<P> {
  let loading: Promise<LoadedProgram<P>> | undefined
  const loaded = () => {
    loading ??= engine.load(program, parts)
    return loading
  }
  return {
    run: async (procedure, inputs, context) => (await loaded()).run(procedure, inputs, context),
    async one(procedure, input, context) {
      const [outcome] = await (await loaded()).run(procedure, [input], context)
      if (!outcome?.ok) throw outcome?.error
      return outcome.value
    },
    async [Symbol.asyncDispose]() {
      // Its callers already got the error of loading.
      await (await loading?.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
