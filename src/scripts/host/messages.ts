import type { Locations } from '../inside/globals.ts'
import type { PreparedScript } from '../inside/program.ts'

/** What the server asks of the script host. `id`: the number under which the host answers. */
export type Request =
  /** The text is a script; the result, as JSON, its `Analysis`. */
  | { readonly kind: 'analyse'; readonly id: number }
  | {
      readonly kind: 'create'
      readonly isolate: number
      readonly memory: number
      readonly locations: Locations
    }
  | {
      readonly kind: 'load'
      readonly id: number
      readonly isolate: number
      readonly program: number
      /** Absent for a single script. */
      readonly address?: string | undefined
    }
  | StepRequest
  | { readonly kind: 'release'; readonly isolate: number; readonly program: number }
  | { readonly kind: 'dispose'; readonly isolate: number }
  /** To a call; its text is the answer. */
  | { readonly kind: 'answer'; readonly call: number }

/** A request that is answered, before it has its number. */
export type Numbered = Unnumbered<Extract<Request, { readonly id: number }>>
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never

/** One step of a page. The text of `begin` is the page. */
export interface StepRequest {
  readonly kind: 'step'
  readonly id: number
  readonly isolate: number
  readonly program: number
  readonly step: 'begin' | 'slice' | 'abandon' | 'repeat'
  readonly procedure?: string
  /** The script variable `context`, as JSON text. */
  readonly context?: string
  /** Milliseconds. */
  readonly timeout: number
}

/** A slice of a page returns after this many milliseconds; the time limit of one input is added to it. */
export const sliceMs = 100

/** The running input and script of an isolate, as positions; -1 before the first. */
export type Progress = readonly [input: number, script: number]

/** What the script host tells the server. */
export type Report = Done | Call | Lost

/** The text is the result of a request. */
export interface Done {
  readonly kind: 'done'
  readonly id: number
  readonly error?: string | undefined
  /** True if the memory limit ended the isolate. */
  readonly dead?: boolean | undefined
  readonly progress?: Progress | undefined
}

/** A script calls a function of the server; the text is the arguments. */
export interface Call {
  readonly kind: 'call'
  readonly call: number
  readonly isolate: number
  readonly name: string
  readonly progress: Progress
}

/** V8 lost control of an isolate: its memory and its thread come back only with the end of the process. */
export interface Lost {
  readonly kind: 'lost'
  readonly isolate: number
  readonly message: string
  readonly progress: Progress
}

/** The text of `load`: what a context is prepared with. */
export interface ProgramText {
  readonly scripts: readonly PreparedScript[]
  readonly procedures: readonly string[]
  readonly settings: unknown
  /** Its scripts reach nothing of the server. */
  readonly apart: boolean
}
