/** Attributes that scripts use and that nothing declares: `source.stauts`, and those in queries. */
import { parseFilter } from '../../model/filter/parse.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import { attributeFault, noSuch, noSuchSet } from '../names.ts'
import { type Shape, type Shapes, shapeAt } from '../shape.ts'
import { type Code, chainOf, fault, memberName, type Node, type ScriptFault, textOf } from './code.ts'

/** `variables`: what the objects in the script's variables look like. */
export function memberFaults(
  code: Code,
  own: ReadonlySet<string>,
  variables: Readonly<Record<string, Shape>>,
): readonly ScriptFault[] {
  const seen = new Set<string>()
  return code.visits.flatMap(({ node, parent, key }) => {
    const chain = memberName(node) === undefined ? undefined : chainOf(node)
    if (!chain || own.has(chain.root) || !Object.hasOwn(variables, chain.root)) return []
    const last = chain.path.at(-1) ?? ''
    // A method, which the object has from its language.
    if (isCall(parent) && key === 'callee') return []
    if (last in Object.prototype) return []
    const holder = shapeAt(variables[chain.root] ?? { kind: 'unknown' }, chain.path.slice(0, -1))
    if (holder.kind !== 'object') return []
    const found = attributeFault(holder, [last])
    const whole = `${chain.root}.${chain.path.join('.')}`
    const way = `${whole} ${isAssigned(parent, key)}`
    if (!found || seen.has(way)) return []
    seen.add(way)
    return [fault(node, { ...found, does: isAssigned(parent, key) ? 'writes' : 'reads' })]
  })
}

function isAssigned(parent: Node | undefined, key: string): boolean {
  return parent?.type === 'AssignmentExpression' && key === 'left'
}

function isCall(node: Node | undefined): boolean {
  return node?.type === 'CallExpression' || node?.type === 'OptionalCallExpression'
}

const functions =
  'read query create update patch delete action hash isHashed matches encrypt decrypt isEncrypted getProperty'.split(
    ' ',
  )

/** Calls of `openidm`: functions that it does not have, object sets and attributes that nothing declares. */
export function callFaults(code: Code, own: ReadonlySet<string>, shapes: Shapes): readonly ScriptFault[] {
  if (own.has('openidm')) return []
  return code.visits.flatMap(({ node }) => {
    if (node.type !== 'CallExpression') return []
    const chain = chainOf(node.callee)
    const [name, ...deeper] = chain?.path ?? []
    if (chain?.root !== 'openidm' || name === undefined || deeper.length > 0) return []
    if (!functions.includes(name))
      return [fault(node.callee, noSuch(name, functions, `openidm has no function ${name}`))]
    const [path, content] = node.arguments
    const text = path && textOf(path, hole)
    if (path === undefined || text === undefined) return []
    return [
      ...pathFaults(path, text, shapes),
      ...(name === 'query' ? queryFaults(content, shapes.of(text)) : []),
    ]
  })
}

/** In place of what is not in the text: no name and no path holds it. */
const hole = '\u0000'

function pathFaults(node: Node, text: string, shapes: Shapes): readonly ScriptFault[] {
  const segments = text.split('/')
  const size = segments[0] === 'system' ? 3 : 2
  const known = segments.slice(0, size)
  if (known.length < 2 || known.some((one) => one.includes(hole) || one === '')) return []
  const path = known.join('/')
  if (shapes.exists(path)) return []
  return [fault(node, noSuchSet(path, shapes))]
}

/** Of `{ _queryFilter: 'mail eq "' + source.mail + '"' }`. */
function queryFaults(node: Node | undefined, shape: Shape): readonly ScriptFault[] {
  if (node?.type !== 'ObjectExpression') return []
  return node.properties.flatMap((property) => {
    if (property.type !== 'ObjectProperty' || property.computed) return []
    const { key, value } = property
    const name = key.type === 'Identifier' ? key.name : key.type === 'StringLiteral' ? key.value : ''
    if (!/^_?queryFilter$/.test(name)) return []
    return filterFaults(value, textOf(value, 'x'), shape)
  })
}

function filterFaults(node: Node, text: string | undefined, shape: Shape): readonly ScriptFault[] {
  if (text === undefined) return []
  try {
    return pointersOf(parseFilter(text)).flatMap((pointer) => {
      const found = attributeFault(shape, pointer)
      return found ? [fault(node, found)] : []
    })
  } catch {
    // It is joined from more than texts, or wrong: only the run knows.
    return []
  }
}

/** Of every query in a correlation query, which asks the target: `{_queryFilter: …}`, `query._queryFilter = …`. */
export function correlationFaults(code: Code, target: Shape): readonly ScriptFault[] {
  const inCalls = new Set<Node>()
  for (const { node } of code.visits)
    if (node.type === 'CallExpression') for (const one of node.arguments) inCalls.add(one)
  return code.visits.flatMap(({ node }) => {
    if (node.type === 'ObjectExpression') return inCalls.has(node) ? [] : queryFaults(node, target)
    if (node.type !== 'AssignmentExpression' || !/^_?queryFilter$/.test(memberName(node.left) ?? ''))
      return []
    return filterFaults(node.right, textOf(node.right, 'x'), target)
  })
}
