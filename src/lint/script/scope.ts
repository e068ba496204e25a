import { nearMiss } from '../../model/nearest.ts'
import { type Code, fault, type Node, type ScriptFault, type Visit } from './code.ts'

/** The names that a script declares or assigns itself, anywhere in it. */
export function ownNames({ visits }: Code): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { node, parent, key } of visits)
    if (node.type === 'Identifier' && parent && isBinding(parent, key)) names.add(node.name)
  // `function ({a, b}) {…}`, `var [a] = …`: every name in a pattern counts.
  for (const { node } of visits) if (/Pattern$|^RestElement$/.test(node.type)) addAll(node, names)
  return names
}

function isBinding({ type }: Node, key: string): boolean {
  if (type === 'VariableDeclarator' || type === 'FunctionDeclaration' || type === 'ClassDeclaration')
    return key === 'id' || key === 'params'
  if (/Function|Method/.test(type)) return key === 'params' || key === 'id'
  if (type === 'AssignmentExpression' || type === 'ForInStatement' || type === 'ForOfStatement')
    return key === 'left'
  return type === 'CatchClause' && key === 'param'
}

function addAll(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) for (const one of node) addAll(one, names)
  else if (typeof node === 'object' && node !== null) {
    if ('type' in node && node.type === 'Identifier' && 'name' in node) names.add(String(node.name))
    for (const [key, value] of Object.entries(node)) if (key !== 'loc') addAll(value, names)
  }
}

/** Names that are there in every script. */
const everywhere = new Set([
  ...Object.getOwnPropertyNames(globalThis),
  ...[
    'openidm',
    'context',
    'logger',
    'console',
    'require',
    'dn',
    'identityServer',
    'module',
    'exports',
    'undefined',
  ],
  ...['arguments', 'java', 'javax', 'org', 'com', 'Packages', 'load', 'print', 'global', 'globalThis'],
])

/**
 * Variables that a script uses and that are not there: misspelt ones, and those of other places such as `source` in
 * `validTarget`. `offered`: the variables of its place. A name that `typeof` asks for may be missing.
 */
export function variableFaults(
  code: Code,
  own: ReadonlySet<string>,
  offered: readonly string[],
): readonly ScriptFault[] {
  const asked = new Set(
    code.visits.flatMap(({ node, parent }) =>
      isTypeof(parent) && node.type === 'Identifier' ? [node.name] : [],
    ),
  )
  const seen = new Set<string>()
  return code.visits.flatMap((visit) => {
    const { node } = visit
    if (node.type !== 'Identifier' || !isReference(visit)) return []
    const { name } = node
    if (own.has(name) || offered.includes(name) || everywhere.has(name) || asked.has(name) || seen.has(name))
      return []
    const suggestion = name.length > 3 ? nearMiss(name, offered) : undefined
    if (suggestion === undefined && !elsewhere.has(name)) return []
    seen.add(name)
    const remedy =
      suggestion === undefined ? `there are: ${offered.join(', ')}` : `did you mean ${suggestion}?`
    const message = `the script has no variable ${name} here; ${remedy}`
    return [fault(node, { message, found: name, allowed: offered, suggestion })]
  })
}

/** Variables of other places. */
const elsewhere = new Set([
  'source',
  'target',
  'object',
  'oldTarget',
  'existingTarget',
  'sourceId',
  'targetId',
])

function isTypeof(parent: Node | undefined): boolean {
  return parent?.type === 'UnaryExpression' && parent.operator === 'typeof'
}

/** Not the name of a member, a key or a label. */
function isReference({ parent, key }: Visit): boolean {
  if (!parent) return true
  switch (parent.type) {
    case 'MemberExpression':
    case 'OptionalMemberExpression':
      return key === 'object' || parent.computed
    case 'ObjectProperty':
      return key === 'value' || parent.computed
    case 'ObjectMethod':
      return key !== 'key' || parent.computed
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return false
    default:
      return !/^Class/.test(parent.type) || key === 'superClass'
  }
}
