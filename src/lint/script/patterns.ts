import { endlessPart } from '../../model/pattern.ts'
import { type Code, fault, type Node, type ScriptFault } from './code.ts'

/** Regular expressions of a script that can take for ever. */
export function patternFaults({ visits }: Code): readonly ScriptFault[] {
  return visits.flatMap(({ node }) => {
    const pattern = patternIn(node)
    const part = pattern === undefined ? undefined : endlessPart(pattern)
    return part === undefined ? [] : [fault(node, { message: patternMessage(part), found: part })]
  })
}

export function patternMessage(part: string): string {
  return `the regular expression can take for ever on a long text that does not match: in ${part} a repetition is repeated; let each character match in one way only, or repeat once`
}

/** `/…/`, `new RegExp('…')`, `RegExp('…')`. */
function patternIn(node: Node): string | undefined {
  if (node.type === 'RegExpLiteral') return node.pattern
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return undefined
  const [first] = node.arguments
  const makesOne = node.callee.type === 'Identifier' && node.callee.name === 'RegExp'
  return makesOne && first?.type === 'StringLiteral' ? first.value : undefined
}
