/** The schema of `router.json` (platform §2). */
import Type from 'typebox'
import { either, filterOrScript, list, shape, text } from './author.ts'

export const methods = ['create', 'read', 'update', 'patch', 'delete', 'query', 'action']

/** Like the conditions of mappings, but any true-like value of a script counts as true, as in OpenIDM. */
export function looseCondition(description: string) {
  return either(filterOrScript, description)
}

export const routerSchema = Type.Object(
  {
    filters: list(
      Type.Object({
        name: text('A name for people.'),
        pattern: text('A regular expression to find in the resource path. Default: every path.', {
          format: 'regex',
        }),
        methods: list(
          Type.Unsafe<string>({ type: 'string', enum: methods, 'x-noun': 'a method' }),
          'The methods; empty or absent: all.',
        ),
        condition: looseCondition('A query filter over `{request, context}`, or a script that sees both.'),
        onRequest: shape('script', 'Runs before the request. If it throws, the request is refused.'),
        onResponse: shape('script', 'Runs after the request; sees `response`.'),
        onFailure: shape('script', 'Runs after a failed request; sees `exception`.'),
      }),
      'Scripts around requests. `onRequest` scripts run in this order, the others in reverse order.',
      { default: [] },
    ),
  },
  { title: 'Router filters', description: '`conf/router.json`: scripts around every request.' },
)

export const accessSchema = Type.Object(
  {
    configs: list(
      Type.Object({
        pattern: text(
          'The exact path; `*`: every path; `managed/*`: every path that begins with `managed/`.',
        ),
        roles: text('A comma list of roles. The caller must have one of them; `*`: every caller.', {
          default: '*',
        }),
        methods: text('A comma list of methods; `*`: all.', { default: '*' }),
        actions: text('A comma list of actions; `*`: all.', { default: '*' }),
        excludePatterns: text('A comma list of paths that the entry does not grant.'),
        customAuthz: text(
          'An expression that must be true-like; it sees `request`, `context` and the functions of docs/access.md.',
        ),
      }),
      'What external callers may do: a request is allowed if at least one entry grants it.',
      { default: [] },
    ),
  },
  { title: 'Access', description: '`conf/access.json`: what external callers may do.' },
)
