/**
 * The description of a program that the host passes to a context: plain JSON, prepared once, the same for every isolate.
 */
export interface PreparedScript {
  readonly name: string
  readonly label: string
  readonly source: string
  /** Its name in stack traces; unique within the program. */
  readonly url: string
  readonly file?: string | undefined
  /** The script as one expression; absent if it is made of statements. */
  readonly expression?: string | undefined
  readonly start: Start
  /** Set if the script does not compile: a call fails with this. */
  readonly broken?: { readonly message: string; readonly detail: unknown } | undefined
  /** Values of the script object's variables, each as JSON text. */
  readonly globals: Readonly<Record<string, string>>
}

/** The origin of code, and how many of our lines precede it in the compiled text. */
export interface Origin {
  readonly file?: string | undefined
  readonly linesBefore: number
  /** The start of the code: V8 reports errors of the first name in an expression at the text before it. */
  readonly start: Start
}

export interface Start {
  readonly line: number
  readonly column: number
}
