import { ask } from './ask.ts'
import {
  apply,
  compileGlobally,
  defineProperty,
  ErrorConstructor,
  globalObject,
  hasOwn,
  isObject,
  nullObject,
  parse,
} from './primordials.ts'
import type { Origin } from './program.ts'

/**
 * `require` of the project's own scripts (platform §7.3). The host finds and reads the file, within the
 * project's script folder; here it runs once a context, as in Node: `module`, `exports`, relative names.
 */
export interface Found {
  /** Relative to the script folder, as are names in it to `folder`. */
  readonly path: string
  readonly folder: string
  readonly json: boolean
  readonly source: string
  /** How stack traces call it. */
  readonly url: string
}

function isFound(value: unknown): value is Found {
  return isObject(value) && typeof value.path === 'string' && typeof value.source === 'string'
}

interface Module {
  exports: unknown
}

const modules: Record<string, Module> = nullObject()
const origins: Record<string, Origin> = nullObject()

export function requireFrom(folder: string): (name: unknown) => unknown {
  return (name) => {
    const found = ask('require', [folder, name])
    if (!isFound(found)) throw new ErrorConstructor('the host has answered with no file')
    return (modules[found.path] ?? load(found)).exports
  }
}

export function moduleOrigin(url: string): Origin | undefined {
  return origins[url]
}

function load(found: Found): Module {
  const { path, source, json, url } = found
  const module: Module = { exports: {} }
  // Stored before it runs, so that modules that require each other see the exports so far, as in Node.
  modules[path] = module
  origins[url] = { file: `script/${path}`, linesBefore: 1, start: { line: 1, column: 1 } }
  try {
    if (json) module.exports = parse(source)
    else keepGlobals(() => run(module, found))
  } catch (error) {
    delete modules[path]
    throw error
  }
  return module
}

function run(module: Module, { source, folder, url }: Found): void {
  const parameters = 'module,exports,require,global'
  const body = compileGlobally(`(function(${parameters}){\n${source}\n})\n//# sourceURL=${url}`)
  // Libraries of the years before `globalThis` look for the built-ins in `global`.
  apply(body, module.exports, [module, module.exports, requireFrom(folder), globalObject])
}

/** Globals set by a module stay, unlike those set by scripts. */
function keepGlobals(work: () => void): void {
  const before: Record<string, boolean> = nullObject()
  for (const name in globalObject) before[name] = true
  work()
  for (const name in globalObject)
    if (!before[name] && hasOwn(globalObject, name)) defineProperty(globalObject, name, { enumerable: false })
}
