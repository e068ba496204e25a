import { entryName } from '../../model/entry-name.ts'
import { ask } from './ask.ts'
import { defineProperty, freeze, isArray, parse, textOf } from './primordials.ts'

/**
 * What every script sees besides its variables (platform §7.2, §7.3): `openidm`, `logger`, `console`,
 * `identityServer`, `context`, `require` and `dn`. All of them are frozen, so that no script changes them for the next. Without locations,
 * the scripts are apart from the server: they have neither `openidm` nor `identityServer`.
 */
export function installGlobals(locations: Locations | undefined, require: (name: unknown) => unknown): void {
  if (locations) constant('openidm', freeze(openidm))
  constant('logger', freeze(logger))
  constant('console', freeze({ log: (message: unknown) => log('info', [message]) }))
  if (locations) constant('identityServer', freeze(identityServer(locations)))
  constant('require', freeze(require))
  defineProperty(globalThis, 'context', {
    get: currentContext,
    set: (value: unknown) => {
      context = { value }
    },
    enumerable: false,
    configurable: false,
  })
  // Scripts that others wrote have undeclared variables of this name: such a one lasts as long as the call of its script.
  defineProperty(globalThis, 'dn', {
    get: () => (dn ? dn.value : nameOf),
    set: (value: unknown) => {
      dn = { value }
    },
    enumerable: false,
    configurable: false,
  })
}

export interface Locations {
  readonly project: string
  readonly install: string
  readonly working: string
}

function constant(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, writable: false, enumerable: false, configurable: false })
}

/** Parsed once for each input, and only if a script reads it: each input gets its own copy. */
let contextText = '{}'
let context: { readonly value: unknown } | undefined

export function setContext(text: string): void {
  contextText = text
  context = undefined
}

export function renewContext(): void {
  context = undefined
}

export function renewDn(): void {
  dn = undefined
}

const nameOf = freeze((...parts: unknown[]) => entryName(parts))
let dn: { readonly value: unknown } | undefined

function currentContext(): unknown {
  context ??= { value: parse(contextText) }
  return context.value
}

const resourceCalls = ['create', 'read', 'update', 'patch', 'delete', 'query', 'action']
const secretCalls = ['encrypt', 'decrypt', 'isEncrypted', 'hash', 'isHashed', 'matches']
const openidm = functionsOf([...resourceCalls, ...secretCalls], ask)
const logger = functionsOf(['trace', 'debug', 'info', 'warn', 'error'], log)

/** They hand on the arguments as given: the host checks and names what is wrong with them. */
function functionsOf(names: readonly string[], call: (name: string, args: unknown[]) => unknown) {
  const functions: Record<string, (...args: unknown[]) => unknown> = {}
  for (const name of names) functions[name] = (...args) => call(name, args)
  return functions
}

/** Errors have no JSON form, so their text is logged. */
function log(level: string, args: unknown[]): void {
  for (let i = 0; i < args.length; i++) {
    const value = args[i]
    if (value === undefined) args[i] = 'undefined'
    else if (typeof value === 'object' && value !== null && !isArray(value) && 'stack' in value)
      args[i] = textOf(value)
    else if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
      args[i] = textOf(value)
  }
  ask('log', [level, args])
}

function identityServer({ project, install, working }: Locations) {
  return {
    getProperty: (name: unknown, fallback?: unknown, _useCache?: unknown) => {
      const value = ask('property', [name])
      return value === undefined ? (fallback ?? null) : value
    },
    getProjectLocation: () => project,
    getInstallLocation: () => install,
    getWorkingLocation: () => working,
  }
}
