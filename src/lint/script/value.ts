/** Scripts that end without a value where one is needed (engine §2.6): it is that of the last expression. */
import {
  type Code,
  chainOf,
  type Expression,
  fault,
  type Node,
  type ScriptFault,
  type Statement,
} from './code.ts'

/** The fault of a script that surely has no value, or surely not the one that is meant; undefined for any other. */
export function valueFault({ statements }: Code): ScriptFault | undefined {
  // Functions may stand behind what uses them.
  const last = statements
    .filter(({ type }) => type !== 'EmptyStatement' && type !== 'FunctionDeclaration')
    .at(-1)
  if (!last) return functionsOnly(statements)
  if (last.type === 'ExpressionStatement') return expressionFault(last.expression)
  return mayHaveValue(last) ? undefined : declarationFault(last)
}

function functionsOnly(statements: readonly Statement[]): ScriptFault | undefined {
  const [first] = statements
  if (first?.type !== 'FunctionDeclaration') return undefined
  const name = first.id?.name ?? ''
  const message = `the script declares functions and has no value; end it with a call such as ${name}(…)`
  return fault(first, { message, found: name, suggestion: `${name}(…)` })
}

function declarationFault(statement: Statement): ScriptFault {
  if (statement.type !== 'VariableDeclaration')
    return fault(statement, { message: 'the script has no value: end it with an expression' })
  const id = statement.declarations.at(-1)?.id
  const name = id?.type === 'Identifier' ? id.name : 'its value'
  const message = `the script ends with the declaration of ${name}, which has no value; end it with the expression ${name}`
  return fault(statement, { message, found: name, suggestion: name })
}

/** Has a statement, or one within it, a value? */
function mayHaveValue(statement: Statement): boolean {
  switch (statement.type) {
    case 'VariableDeclaration':
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'EmptyStatement':
      return false
    case 'BlockStatement':
      return statement.body.some(mayHaveValue)
    case 'IfStatement':
      return [statement.consequent, statement.alternate].some((part) => part && mayHaveValue(part))
    case 'TryStatement':
      return (
        mayHaveValue(statement.block) || Boolean(statement.handler && mayHaveValue(statement.handler.body))
      )
    default:
      return true
  }
}

function expressionFault(expression: Expression): ScriptFault | undefined {
  if (expression.type === 'FunctionExpression' || expression.type === 'ArrowFunctionExpression')
    return fault(expression, {
      message: 'the value of the script is a function that nothing calls; add () behind it',
    })
  if (expression.type !== 'CallExpression') return undefined
  const { callee } = expression
  const called = calledFunction(callee)
  if (called)
    return called.body.type === 'BlockStatement' && !returnsValue(called.body) ? silent(called) : undefined
  const chain = chainOf(callee)
  if (chain && ['logger', 'console'].includes(chain.root) && chain.path.length === 1) {
    const name = `${chain.root}.${chain.path[0]}`
    return fault(expression, {
      message: `the script ends with a call of ${name}, which has no value; end it with the value`,
      found: name,
    })
  }
  return undefined
}

function silent(called: Node): ScriptFault {
  return fault(called, { message: 'the function that makes the value returns none; write return before it' })
}

type AnyFunction = Extract<Expression, { type: 'FunctionExpression' | 'ArrowFunctionExpression' }>

/** `(function () { … })()`, `(function () { … }).call(this)`. */
function calledFunction(callee: Node): AnyFunction | undefined {
  if (callee.type === 'FunctionExpression' || callee.type === 'ArrowFunctionExpression') return callee
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return undefined
  return ['call', 'apply'].includes(callee.property.name) ? calledFunction(callee.object) : undefined
}

/** Generators and inner functions have returns of their own. */
function returnsValue(root: Node): boolean {
  const waiting: unknown[] = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) waiting.push(...next)
    else if (typeof next === 'object' && next !== null && 'type' in next) {
      const { type } = next
      if (type === 'ReturnStatement' && 'argument' in next && next.argument) return true
      if (type === 'ThrowStatement') return true
      if (next === root || !/Function|Method/.test(String(type)))
        waiting.push(
          ...Object.entries(next).flatMap(([key, value]) => (key === 'loc' ? [] : [value ?? false])),
        )
    }
  }
  return false
}

/** `source.active = true` where a comparison is needed. */
export function assignmentFault({ statements }: Code): ScriptFault | undefined {
  const last = statements.at(-1)
  if (last?.type !== 'ExpressionStatement' || last.expression.type !== 'AssignmentExpression')
    return undefined
  const { operator, left } = last.expression
  if (operator !== '=' || left.type !== 'MemberExpression') return undefined
  const message = 'the condition assigns a value instead of comparing with one; write === for ='
  return fault(last.expression, { message, found: '=', suggestion: '===' })
}
