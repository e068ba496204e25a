import { deepest } from '../../model/json-text.ts'
import { Problem } from '../../model/problem.ts'
import { ask, connect, type HostReference } from './ask.ts'
import { boundedText } from './depth.ts'
import { failureText } from './failure.ts'
import { freezeShared } from './freeze.ts'
import { installGlobals, type Locations, renewContext, setContext } from './globals.ts'
import { hardenGlobals } from './harden.ts'
import { ErrorConstructor, isObject, now, nullObject, parse } from './primordials.ts'
import type { PreparedScript } from './program.ts'
import { requireFrom } from './require.ts'
import { call, define } from './scripts.ts'

/**
 * The inner half of the engine: the host loads this module into a context and calls it. It processes a page of inputs in
 * slices: after `sliceMs` it returns the outcomes so far, and the host calls again. So the host's time limit is for a
 * single input, however long the page is.
 *
 * `progress` is memory shared with the host: the input and the script that are running. It outlives the isolate.
 */
type Procedure = (input: unknown, callScript: typeof call, askCaller: typeof askOfCaller) => unknown
type Factory = (settings: unknown) => Procedure

export interface Settings {
  readonly scripts: readonly PreparedScript[]
  readonly procedures: readonly string[]
  readonly settings: unknown
  readonly sliceMs: number
  readonly locations: Locations
  readonly apart: boolean
}

const procedures: Record<string, Procedure> = nullObject()
let progress: Int32Array = new Int32Array(2)
let sliceMs = 0

hardenGlobals()

/** What the program's module exports. */
interface Module {
  readonly program: {
    readonly procedures: Readonly<Record<string, Factory>>
    readonly seenByScripts?: (settings: unknown) => unknown
  }
}

/** `module` is the namespace of the program's module; a program without one evaluates a single script. */
export function prepare(
  host: HostReference,
  shared: Int32Array,
  text: string,
  module: Module | undefined,
): void {
  const { scripts, procedures: names, settings, sliceMs: slice, locations, apart }: Settings = parse(text)
  connect(host)
  progress = shared
  sliceMs = slice
  installGlobals(apart ? undefined : locations, requireFrom(''))
  const seenByScripts = module?.program.seenByScripts
  freezeShared(seenByScripts ? seenByScripts(settings) : settings)
  define(scripts, (index) => {
    progress[1] = index
  })
  if (module) for (const name of names) procedures[name] = factoryIn(module, name)(settings)
  else
    procedures.evaluate = (variables, callScript) =>
      callScript('script', isObject(variables) ? variables : {})
}

function askOfCaller(name: string, args: readonly unknown[]): unknown {
  return ask('ask', [name, args])
}

function factoryIn({ program }: Module, name: string): Factory {
  const factory = program.procedures[name]
  if (factory) return factory
  throw new ErrorConstructor(`the program has no procedure "${name}"`)
}

let procedure: Procedure | undefined
let inputs: unknown[] = []
let next = 0
/** Outcomes of the current slice, kept until the next call of the host: they survive a killed slice. */
let outcomes = ''

/** Begins a page and processes one slice. Returns the outcomes as the inside of a JSON array. */
export function begin(name: string, page: string, context: string): string {
  progress[0] = -1
  progress[1] = -1
  inputs = parse(page)
  procedure = procedures[name]
  next = 0
  setContext(context)
  return slice()
}

export function slice(): string {
  outcomes = ''
  const end = now() + sliceMs
  while (next < inputs.length) {
    progress[0] = next
    const outcome = outcomeOf(next)
    outcomes = outcomes === '' ? outcome : `${outcomes},${outcome}`
    next++
    if (now() >= end) break
  }
  return outcomes
}

/** After a slice was killed: returns the finished outcomes and skips the input that caused it. */
export function abandon(): string {
  next = (progress[0] ?? -1) + 1
  return outcomes
}

/** After a slice whose outcomes were lost: returns them again. */
export function repeat(): string {
  return outcomes
}

/** Levels that a procedure puts around what scripts made of its input. */
const around = 8

function tooDeep(): Problem {
  return new Problem('BAD_REQUEST', `what the scripts made is nested more than ${deepest} levels deep`)
}

function outcomeOf(index: number): string {
  const input = inputs[index]
  // Otherwise the page would keep every input, and everything that scripts attached to it, until its end.
  inputs[index] = undefined
  renewContext()
  try {
    const text = boundedText(procedure?.(input, call, askOfCaller), deepest + around, tooDeep)
    return text === undefined ? '{}' : `{"value":${text}}`
  } catch (thrown) {
    return `{"error":${failureText(thrown)}}`
  }
}
