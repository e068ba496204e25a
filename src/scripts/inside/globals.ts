import { ask } from './ask.ts'
import { defineProperty, freeze, isArray, parse, textOf } from './primordials.ts'

/**
 * What every script sees besides its variables (platform §7.2, §7.3): `openidm`, `logger`, `console`,
 * `identityServer`, `context` and `require`. All of them are frozen, so that no script changes them for the next.
 */
export function installGlobals(locations: Locations, require: (name: unknown) => unknown): void {
  constant('openidm', freeze(openidm))
  constant('logger', freeze(logger))
  constant('console', freeze({ log: (message: unknown) => log('info', [message]) }))
  constant('identityServer', freeze(identityServer(locations)))
  constant('require', freeze(require))
  defineProperty(globalThis, 'context', {
    get: currentContext,
    set: (value: unknown) => {
      context = { value }
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

function currentContext(): unknown {
  context ??= { value: parse(contextText) }
  return context.value
}

/** The arguments as given: the host checks and names what is wrong with them. */
const openidm = {
  create: (...args: unknown[]) => ask('create', args),
  read: (...args: unknown[]) => ask('read', args),
  update: (...args: unknown[]) => ask('update', args),
  patch: (...args: unknown[]) => ask('patch', args),
  delete: (...args: unknown[]) => ask('delete', args),
  query: (...args: unknown[]) => ask('query', args),
  action: (...args: unknown[]) => ask('action', args),
  encrypt: (...args: unknown[]) => ask('encrypt', args),
  decrypt: (...args: unknown[]) => ask('decrypt', args),
  isEncrypted: (value: unknown) => ask('isEncrypted', [value]),
  hash: (...args: unknown[]) => ask('hash', args),
  isHashed: (value: unknown) => ask('isHashed', [value]),
  matches: (...args: unknown[]) => ask('matches', args),
}

const logger = {
  trace: (...args: unknown[]) => log('trace', args),
  debug: (...args: unknown[]) => log('debug', args),
  info: (...args: unknown[]) => log('info', args),
  warn: (...args: unknown[]) => log('warn', args),
  error: (...args: unknown[]) => log('error', args),
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
