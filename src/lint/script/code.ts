import { parse } from '@babel/parser'
import type { Use } from '../names.ts'

/**
 * The text of a script as a tree. Whether it compiles is for the engine to say; what this parser does not read is not judged.
 */
export interface Code {
  readonly statements: readonly Statement[]
  /** Every node, an outer one before those in it. */
  readonly visits: readonly Visit[]
}

export interface Visit {
  readonly node: Node
  readonly parent: Node | undefined
  /** The member of the parent that holds it. */
  readonly key: string
}

export type Statement = ReturnType<typeof parse>['program']['body'][number]
export type Expression = Extract<Statement, { type: 'ExpressionStatement' }>['expression']
type Call = Extract<Expression, { type: 'CallExpression' }>
type Declarator = Extract<Statement, { type: 'VariableDeclaration' }>['declarations'][number]
type Member = Extract<Expression, { type: 'ObjectExpression' }>['properties'][number]
type Handler = NonNullable<Extract<Statement, { type: 'TryStatement' }>['handler']>
type Value = Extract<Member, { type: 'ObjectProperty' }>['value']
type Assigned = Extract<Expression, { type: 'AssignmentExpression' }>['left']
type Name = Extract<Expression, { type: 'MemberExpression' }>['property']
export type Node =
  | Statement
  | Expression
  | Call['callee']
  | Call['arguments'][number]
  | Declarator
  | Member
  | Value
  | Name
  | Assigned
  | Handler

/** `module`: a file that scripts require; it runs as the body of a function. */
export function codeOf(source: string, module = false): Code | undefined {
  try {
    const { program } = parse(source, { sourceType: 'script', allowReturnOutsideFunction: module })
    const statements = program.body
    const directives = program.directives.length > 0 && statements.length === 0
    // A script that is one text, such as 'x', is read as a directive; its value is the text.
    return directives ? undefined : { statements, visits: visitsOf(statements) }
  } catch {
    return undefined
  }
}

/** With a stack of its own: the depth of a script is no limit. */
function visitsOf(statements: readonly Statement[]): readonly Visit[] {
  const visits: Visit[] = []
  const waiting: Visit[] = statements.map((node) => ({ node, parent: undefined, key: 'body' })).reverse()
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    visits.push(next)
    const { node: parent } = next
    const children = Object.entries(parent).flatMap(([key, value]) =>
      ignored.has(key)
        ? []
        : [value]
            .flat()
            .filter(isNode)
            .map((node) => ({ node, parent, key })),
    )
    waiting.push(...children.reverse())
  }
  return visits
}

const ignored = new Set(['loc', 'extra', 'leadingComments', 'innerComments', 'trailingComments', 'errors'])

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

/** Counted from 1, both. */
export interface Position {
  readonly line: number
  readonly column: number
}

export function positionOf({ loc }: Node): Position {
  return { line: loc?.start.line ?? 1, column: (loc?.start.column ?? 0) + 1 }
}

/** What is wrong in a script, and where in its text. */
export interface ScriptFault extends Position {
  readonly message: string
  readonly undeclared?: string | undefined
  readonly does?: Use['does'] | undefined
  readonly found?: string | undefined
  readonly allowed?: readonly string[] | undefined
  readonly suggestion?: string | undefined
}

export function fault(node: Node, facts: Omit<ScriptFault, 'line' | 'column'>): ScriptFault {
  return { ...positionOf(node), ...facts }
}

/** The name of a member, as long as the text gives it: `x.name`, `x['name']`. */
export function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' && node.type !== 'OptionalMemberExpression') return undefined
  const { property, computed } = node
  if (!computed) return property.type === 'Identifier' ? property.name : undefined
  if (property.type === 'NumericLiteral') return String(property.value)
  return property.type === 'StringLiteral' ? property.value : undefined
}

/** `['name', 'givenName']` of `source.name.givenName`, and the variable that it begins with. */
export function chainOf(node: Node): { readonly root: string; readonly path: readonly string[] } | undefined {
  if (node.type === 'Identifier') return { root: node.name, path: [] }
  if (node.type !== 'MemberExpression' && node.type !== 'OptionalMemberExpression') return undefined
  const name = memberName(node)
  const holder = name === undefined ? undefined : chainOf(node.object)
  return holder && name !== undefined ? { root: holder.root, path: [...holder.path, name] } : undefined
}

/** The text of a literal, or of what is joined from literals and other values; these become `hole`. */
export function textOf(node: Node, hole: string): string | undefined {
  if (node.type === 'StringLiteral') return node.value
  if (node.type === 'TemplateLiteral') return node.quasis.map(({ value }) => value.cooked ?? '').join(hole)
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return undefined
  const [left, right] = [textOf(node.left, hole), textOf(node.right, hole)]
  return left === undefined && right === undefined ? undefined : `${left ?? hole}${right ?? hole}`
}
