import type { Json, JsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { RequestContext } from '../router/resources.ts'

/**
 * The port to administrators' scripts. A *procedure* is a pure function of our own that runs in the sandbox and calls
 * scripts as functions. So the boundary is crossed once for all scripts of an object, and tests run the same procedure
 * with lambdas instead of scripts.
 */
export type Call = (script: string, variables: Readonly<Record<string, unknown>>) => Json | undefined

/** What a procedure asks of the caller of its run, who has given functions of these names (`ScriptContext.functions`). */
export type Ask = (name: string, args: readonly unknown[]) => unknown

/**
 * Our code that runs in the sandbox. Its module exports it as `program`. The procedures are made with the settings (e.g. a
 * compiled mapping) with which the program is loaded; inputs and outputs are passed as JSON. The module may import its own
 * folder, model/, mapping/ and plan/.
 */
export interface Program {
  /** `import.meta.url` of the module, so that the module can be moved. */
  readonly address: string
  readonly procedures: Readonly<
    Record<string, (settings: never) => (input: never, call: Call, ask: Ask) => unknown>
  >
  /** What of the settings the procedures give to scripts: it is frozen. Absent: all of them. */
  readonly seenByScripts?: (settings: never) => unknown
  /** Its scripts have no `openidm` and no `identityServer`: they reach only what the procedures give them. */
  readonly apart?: boolean
}

export type ProcedureName<P extends Program> = keyof P['procedures'] & string
type Made<P extends Program, N extends ProcedureName<P>> = ReturnType<P['procedures'][N]>
export type ProcedureInput<P extends Program, N extends ProcedureName<P>> = Parameters<Made<P, N>>[0]
export type ProcedureOutput<P extends Program, N extends ProcedureName<P>> = ReturnType<Made<P, N>>

export interface ScriptSource {
  /** Its name in errors, e.g. `mapping hrAccount_managedUser, validSource`. */
  readonly label: string
  /** The code; its value is its completion value (engine §2.6). */
  readonly source: string
  /** Where it was read from, relative to the project; absent for inline scripts. */
  readonly file?: string | undefined
  /** `globals` and extra keys of the script object: variables, overridden by those of a call. */
  readonly globals: JsonObject
}

/** What a program is loaded with. */
export interface ProgramParts<P extends Program> {
  readonly settings?: Parameters<P['procedures'][ProcedureName<P>]>[0]
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/** Compiled when it first runs, and unloaded on disposal. */
export interface LoadedProgram<P extends Program> extends AsyncDisposable {
  /**
   * Runs a procedure for every input, in order, each with its own deep copies. The boundary is crossed once for each
   * slice of the page. If the scripts of an input throw or exceed the time or memory, its outcome is a failure; the
   * others continue.
   */
  run<N extends ProcedureName<P>>(
    procedure: N,
    inputs: readonly ProcedureInput<P, N>[],
    context: ScriptContext,
  ): Promise<readonly ScriptOutcome<ProcedureOutput<P, N>>[]>
  /** Runs for one input; throws the failure of its scripts. */
  one<N extends ProcedureName<P>>(
    procedure: N,
    input: ProcedureInput<P, N>,
    context: ScriptContext,
  ): Promise<ProcedureOutput<P, N>>
}

export type ScriptOutcome<T = Json | undefined> = (
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Problem }
) & {
  /** Values that scripts decrypted for this input: they are secret wherever they appear. */
  readonly decrypted?: readonly Json[]
}

/** The request for which scripts run: their `context`, and the request context of their `openidm` calls. */
export interface ScriptContext {
  readonly request: RequestContext
  /** Further members of the script variable `context`. */
  readonly extra?: JsonObject
  readonly signal?: AbortSignal
  /** What the procedures may ask of the caller, by name. An input that has asked is never run a second time. */
  readonly functions?: Readonly<Record<string, CallerFunction>>
  /** What the input at this place of the page must not say, in the log and in errors. */
  readonly secretsOf?: (input: number) => readonly Json[]
}

/** `input`: the place on the page of the input that asks. Arguments and answers are copies, as JSON. */
export type CallerFunction = (args: readonly Json[], input: number) => Promise<Json | undefined>

export interface ScriptEngine extends AsyncDisposable {
  /** Syntax errors of a script, or undefined. Message, line and column are in the problem's `detail`. */
  check(script: ScriptSource): Promise<Problem | undefined>
  load<P extends Program>(program: P, parts: ProgramParts<P>): LoadedProgram<P>
  /** Runs one script once and returns its completion value. */
  evaluate(script: ScriptSource, variables: JsonObject, context: ScriptContext): Promise<Json | undefined>
}

/** Encryption and hashing as scripts see them (platform §3.3, §7.2). */
export interface Secrets {
  encrypt(value: Json, cipher: string | null, alias: string): Promise<JsonObject>
  /** A deep copy with every `$crypto` encryption replaced by its plaintext. */
  decrypt(value: Json): Promise<Json>
  isEncrypted(value: Json | undefined): boolean
  hash(value: Json, algorithm: string | null): Promise<JsonObject>
  isHashed(value: Json | undefined): boolean
  matches(plain: string, hashed: Json): Promise<boolean>
}
