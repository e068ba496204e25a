import { Problem } from '../model/problem.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'
import type { ObjectSet, RequestContext } from './resources.ts'

/**
 * Dry runs: a request whose context is `readOnly`, and all scripts that it starts, change nothing. Every write goes
 * through the router, so providers need not know about it.
 */
export const refuseWritesWhenReadOnly: RouterFilter = async (request, next) => {
  const { verb, action, path, context } = request
  if (context.readOnly && mayWrite(request))
    throw refusal(context, path, action ? `action "${action.name}"` : verb)
  return next()
}

/** The same guarantee for the bulk interface, which does not pass the filters. */
export function guardedSet(set: ObjectSet): ObjectSet {
  const { joining } = set
  return {
    ...set,
    async writeMany(writes, request, signal, idsSuffice) {
      if (request.readOnly) throw refusal(request, set.path, 'a write')
      return set.writeMany(writes, request, signal, idsSuffice)
    },
    ...(joining && { joining: (transaction) => guardedSet(joining(transaction)) }),
  }
}

export function mayWrite({ verb, action }: RoutedRequest): boolean {
  if (verb === 'read' || verb === 'query') return false
  return action === undefined || !harmlessActions.has(action.name)
}

/** Actions that only read. Any other action may change something. */
const harmlessActions: ReadonlySet<string> = new Set([
  'test',
  'validate',
  'validateObject',
  'validateProperty',
  'compile',
])

function refusal({ onRefusedWrite }: RequestContext, path: string, operation: string): Problem {
  const fact = `${operation} on ${path} is refused, because nothing may change`
  onRefusedWrite?.(fact)
  return new Problem('FORBIDDEN', `This is a dry run: ${fact}`)
}
