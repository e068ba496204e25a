import { nearest } from '../../model/nearest.ts'
import { type Code, fault, type ScriptFault } from './code.ts'

/** What `require` finds. */
export interface Modules {
  /** Of a module that is required from a folder below `script/`; undefined if there is none. */
  find(from: string, name: string): FoundModule | undefined
  /** Names that are there, to suggest one. */
  names(): readonly string[]
}

export interface FoundModule {
  /** Relative to the project; absent for a module that comes with Syncline. */
  readonly file?: string
  readonly source?: string
}

/** Each module that a text requires by name, with the fault of one that is not there. */
export function requiredModules(
  { visits }: Code,
  from: string,
  modules: Modules,
): { readonly faults: readonly ScriptFault[]; readonly found: readonly FoundModule[] } {
  const guarded = new Set(
    visits.flatMap(({ node }) =>
      node.type === 'TryStatement' ? [{ start: node.block.start ?? 0, end: node.block.end ?? 0 }] : [],
    ),
  )
  const faults: ScriptFault[] = []
  const found: FoundModule[] = []
  for (const { node } of visits) {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'require')
      continue
    const [name] = node.arguments
    if (name?.type !== 'StringLiteral') continue
    const module = modules.find(from, name.value)
    const at = node.start ?? 0
    if (module) found.push(module)
    // What a script tries, it can do without.
    else if (![...guarded].some(({ start, end }) => at >= start && at < end))
      faults.push(fault(node, notThere(name.value, modules.names())))
  }
  return { faults, found }
}

function notThere(name: string, names: readonly string[]) {
  const suggestion = nearest(name.replace(/^\.\//, ''), names)
  const remedy =
    suggestion === undefined
      ? `put it at script/${name.replace(/^\.\//, '').replace(/(?:\.js)?$/, '.js')}`
      : `did you mean ${suggestion}?`
  return {
    message: `require('${name}'): the folder script/ has no such module; ${remedy}`,
    found: name,
    suggestion,
  }
}
