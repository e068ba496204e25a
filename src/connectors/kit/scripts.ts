import type { Problem } from '../../model/problem.ts'
import type {
  ProcedureInput,
  ProcedureName,
  ProcedureOutput,
  Program,
  ProgramParts,
  ScriptContext,
  ScriptOutcome,
  ScriptSource,
} from '../../scripts/engine.ts'

/** Administrators' scripts in the sandbox, for connectors whose operations are scripts (platform §5.4). */
export interface ConnectorScripts {
  /** The text of a file of the project; undefined if there is none. Relative paths start at the project folder. */
  read(path: string): string | undefined
  /** The syntax error of a script; undefined if it compiles. */
  check(script: ScriptSource): Promise<Problem | undefined>
  load<P extends Program>(program: P, parts: ProgramParts<P>): ConnectorProgram<P>
}

export interface ConnectorProgram<P extends Program> extends AsyncDisposable {
  /** As that of the engine. What the scripts may reach is in `tools`, and nothing else. */
  run<N extends ProcedureName<P>>(
    procedure: N,
    inputs: readonly ProcedureInput<P, N>[],
    tools: Pick<ScriptContext, 'functions' | 'secretsOf' | 'signal'>,
  ): Promise<readonly ScriptOutcome<ProcedureOutput<P, N>>[]>
}
