/**
 * What the host tells a context about the program that it will run: plain JSON, prepared once and the same for
 * every isolate.
 */
export interface PreparedScript {
  readonly name: string
  readonly label: string
  readonly source: string
  /** How stack traces call it: unique within the program. */
  readonly url: string
  readonly file?: string | undefined
  /** The script as one expression; absent if it is made of statements. */
  readonly expression?: string | undefined
  readonly start: Start
  /** Set if it does not compile: calling it fails with this. */
  readonly broken?: { readonly message: string; readonly detail: unknown } | undefined
  /** Values of the script object's variables, each as JSON text. */
  readonly globals: Readonly<Record<string, string>>
}

/** Where code came from, and how many lines of ours precede it in what was compiled. */
export interface Origin {
  readonly file?: string | undefined
  readonly linesBefore: number
  /** Where the code begins: V8 blames what precedes it for the first name in an expression. */
  readonly start: Start
}

export interface Start {
  readonly line: number
  readonly column: number
}
