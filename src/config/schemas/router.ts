/** The schema of `router.json` (platform §2). */
import Type from 'typebox'
import { either, list, shape, text } from './author.ts'

export const methods = ['create', 'read', 'update', 'patch', 'delete', 'query', 'action']

/** As mappings know conditions, but any value of a script that is true-like fulfils them, as in the original. */
export function looseCondition(description: string) {
  return either(
    [
      Type.String({ format: 'query-filter', 'x-noun': 'a query filter' }),
      Type.Unsafe({ $ref: '#/$defs/script' }),
    ],
    description,
  )
}

export const routerSchema = Type.Object(
  {
    filters: list(
      Type.Object({
        name: text('A name for people.'),
        pattern: text('A regular expression that is found in the resource path; absent: every path.', {
          format: 'regex',
        }),
        methods: list(
          Type.Unsafe<string>({ type: 'string', enum: methods, 'x-noun': 'a method' }),
          'The methods; absent or empty: all.',
        ),
        condition: looseCondition('A query filter over `{request, context}`, or a script that sees both.'),
        onRequest: shape('script', 'Runs before the request; throwing stops it.'),
        onResponse: shape('script', 'Runs after the request; sees `response`.'),
        onFailure: shape('script', 'Runs after a request that failed; sees `exception`.'),
      }),
      'Scripts around requests: `onRequest` in this order, the others in the opposite one.',
      { default: [] },
    ),
  },
  { title: 'Router filters', description: '`conf/router.json`: scripts around every request.' },
)

export const accessSchema = Type.Object(
  {
    configs: list(
      Type.Object({
        pattern: text('The path: as it is, `*` for all, or `managed/*` for all that begins so.'),
        roles: text('A comma list of roles, one of which the caller must have; `*`: anybody.', {
          default: '*',
        }),
        methods: text('A comma list of methods; `*`: all.', { default: '*' }),
        actions: text('A comma list of actions; `*`: all.', { default: '*' }),
        excludePatterns: text('A comma list of paths that the entry does not grant.'),
        customAuthz: text(
          'An expression that must be true-like; it sees `request`, `context` and the functions of docs/access.md.',
        ),
      }),
      'What callers from outside may do: whatever any entry grants, and nothing else.',
      { default: [] },
    ),
  },
  { title: 'Access', description: '`conf/access.json`: what callers from outside may do.' },
)
