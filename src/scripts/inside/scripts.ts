import type { Json } from '../../model/json.ts'
import { deepest } from '../../model/json-text.ts'
import { Problem } from '../../model/problem.ts'
import { assignedNames } from './assigned.ts'
import { compile, linesBefore } from './compile.ts'
import { boundedText } from './depth.ts'
import { scriptFailure } from './failure.ts'
import { renewDn } from './globals.ts'
import {
  apply,
  defineProperty,
  ErrorConstructor,
  findMatch,
  globalObject,
  hasOwn,
  isEnumerable,
  isFiniteNumber,
  keysOf,
  nullObject,
  PromiseConstructor,
  parse,
  TypeErrorConstructor,
} from './primordials.ts'
import type { Origin, PreparedScript } from './program.ts'
import { moduleOrigin } from './require.ts'

/**
 * The program's scripts as functions. Each call gets new copies of the script's `globals`. Undeclared variables that it
 * assigned are removed after it. So no call sees effects of an earlier call, except changes of built-ins.
 */
type Compiled = (...values: unknown[]) => unknown

interface Callable {
  readonly script: PreparedScript
  readonly index: number
  readonly compiled: Record<string, Compiled>
  readonly globalNames: readonly string[]
  /** Undeclared variables that it may assign; undefined: any. */
  readonly assigned: readonly string[] | undefined
  /** The variables of the last call and its function: nearly always those of the next. */
  lastNames: readonly string[]
  lastFunction: Compiled | undefined
}

const callables: Record<string, Callable> = nullObject()
const origins: Record<string, Origin> = nullObject()
let noteRunning: (index: number) => void = () => {}

export function define(scripts: readonly PreparedScript[], note: (index: number) => void): void {
  noteRunning = note
  for (const [index, given] of scripts.entries()) {
    const script = ownMembers(given)
    origins[script.url] = { file: script.file, linesBefore: linesBefore(script), start: script.start }
    callables[script.name] = {
      script,
      index,
      compiled: nullObject(),
      globalNames: keysOf(script.globals),
      assigned: assignedNames(script.source),
      lastNames: [],
      lastFunction: undefined,
    }
  }
}

/** All members become own members, so that additions to `Object.prototype` by scripts have no effect. */
function ownMembers(script: PreparedScript): PreparedScript {
  const { name, label, source, url, file, expression, start, broken, globals } = script
  return { name, label, source, url, file, expression, start, broken, globals }
}

/** The value of a script as JSON would carry it, or a SCRIPT_FAILED. */
export function call(name: string, variables: Readonly<Record<string, unknown>>): Json | undefined {
  const callable = callables[name]
  if (!callable) throw new Problem('INTERNAL', `the program has no script "${name}"`)
  const { script } = callable
  if (script.broken)
    throw new Problem('SCRIPT_FAILED', script.broken.message, { detail: script.broken.detail })
  noteRunning(callable.index)
  try {
    return asJson(invoke(callable, variables))
  } catch (thrown) {
    throw scriptFailure(script.label, thrown, originOf)
  } finally {
    sweepGlobals(callable.assigned)
  }
}

function originOf(url: string): Origin | undefined {
  return origins[url] ?? moduleOrigin(url)
}

function invoke(callable: Callable, variables: Readonly<Record<string, unknown>>): unknown {
  const names = keysOf(variables)
  const run = sameNames(names, callable.lastNames) ? callable.lastFunction : undefined
  const values: unknown[] = []
  let count = 0
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (name !== undefined && isVariable(name)) values[count++] = variables[name]
  }
  const { globalNames, script } = callable
  for (let i = 0; i < globalNames.length; i++) {
    const name = globalNames[i]
    if (name !== undefined && !hasOwn(variables, name))
      values[count++] = parse(script.globals[name] ?? 'null')
  }
  return apply(run ?? functionFor(callable, names), undefined, values)
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function functionFor(callable: Callable, names: readonly string[]): Compiled {
  const { script, compiled, globalNames } = callable
  const variables: string[] = []
  const given: Record<string, boolean> = nullObject()
  let key = ''
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (name === undefined) continue
    given[name] = true
    key += `${name},`
    if (isVariable(name)) variables[variables.length] = name
  }
  for (let i = 0; i < globalNames.length; i++) {
    const name = globalNames[i]
    if (name !== undefined && !given[name]) variables[variables.length] = name
  }
  const found = compiled[key] ?? compile(script, variables)
  compiled[key] = found
  callable.lastNames = names
  callable.lastFunction = found
  return found
}

/** A script cannot name a key that is not an identifier; `eval` and `arguments` would break its function. */
export function isVariable(name: string): boolean {
  variableNames[name] ??= findMatch(identifier, name) !== null && findMatch(reserved, name) === null
  return variableNames[name]
}

const variableNames: Record<string, boolean> = nullObject()
const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
const reserved =
  /^(?:eval|arguments|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with|let|static|yield|await)$/

/** Plain values only: getters and proxies are read once here, so no code of a script runs after it has ended. */
function asJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return isFiniteNumber(value) ? value : null
    case 'object': {
      if (value === null) return null
      if (value instanceof PromiseConstructor) {
        throw new TypeErrorConstructor(
          'the value is a promise; scripts and the functions they call are synchronous',
        )
      }
      const text = boundedText(value, deepest, tooDeep)
      return text === undefined ? undefined : parse(text)
    }
    case 'bigint':
      throw new TypeErrorConstructor('the value is a BigInt, which JSON cannot hold')
    default:
      return undefined
  }
}

/** As the host refuses what a call hands over. */
function tooDeep(): Error {
  const error = new ErrorConstructor(`the value is nested more than ${deepest} levels deep`)
  defineProperty(error, 'code', { value: 400 })
  return error
}

/** Removes enumerable members of the global object: they come from undeclared assignments. Ours are not enumerable. */
function sweepGlobals(assigned: readonly string[] | undefined): void {
  renewDn()
  if (assigned === undefined) for (const name in globalObject) delete globalObject[name]
  else
    for (let i = 0; i < assigned.length; i++) {
      const name = assigned[i]
      if (name !== undefined && isEnumerable(globalObject, name)) delete globalObject[name]
    }
}
