/**
 * Shapes that several kinds of configuration share: scripts, conditions, queries (engine §2.2, §2.6,
 * platform §7.1). Referred to by name with `shape('script')`.
 */
import Type, { type TSchema } from 'typebox'
import {
  choice,
  dictionary,
  either,
  filterOrScript,
  list,
  object,
  ref,
  required,
  shape,
  text,
  texts,
  whole,
} from './author.ts'

export const sharedDefinitions: Readonly<Record<string, TSchema>> = {
  script: Type.Object(
    {
      type: text('The language: `text/javascript`. Required with `source`.', {
        examples: ['text/javascript'],
      }),
      source: text(
        'The code. Its value is its completion value: the last expression evaluated, not a `return`.',
      ),
      file: text('A file with the code, relative to the project or to a folder of `conf/script.json`.'),
      name: text('The same as `file`.'),
      globals: dictionary(Type.Unknown(), 'Variables of the script; those that a call passes win.', {
        default: {},
      }),
    },
    {
      title: 'Script',
      description: 'A script of the administrator. Every further key becomes a variable of the script.',
      'x-noun': 'a script object',
      'x-open': true,
      'x-rule': 'script',
    },
  ),
  condition: Type.Union([...filterOrScript], {
    title: 'Condition',
    description:
      'A query filter, evaluated over the scope that the setting names (strings are compared without regard to case), ' +
      'or a script, which must return the boolean true.',
  }),
  query: Type.Object(
    {
      _queryFilter: text('A query filter.', { format: 'query-filter' }),
      _queryId: text(
        'A named query, such as `query-all-ids`, `query-all`, `for-userName` (parameter `uid`) or `get-by-field-value` ' +
          '(parameters `field` and `value`). Write other queries as `_queryFilter`.',
      ),
      _queryExpression: text('The same as `_queryFilter`, on `system/…` only.'),
      _fields: either(
        [Type.String({ 'x-noun': 'a comma list' }), Type.Array(Type.String())],
        'The fields to read: a comma list of pointers, or an array.',
      ),
      queryFilter: text('The same as `_queryFilter`.', { format: 'query-filter' }),
      queryId: text('The same as `_queryId`.'),
      queryExpression: text('The same as `_queryExpression`.'),
      fields: either([Type.String(), Type.Array(Type.String())], 'The same as `_fields`.'),
      resourceName: text('Another resource to query instead of the object set of the mapping.'),
    },
    {
      title: 'Query',
      description:
        'Which objects to read. Further keys become query parameters; managed objects and CSV files have none.',
      'x-open': true,
      'x-rule': 'query',
    },
  ),
  expressionTree: Type.Object(
    {
      any: list(either([Type.String(), ref('expressionTree')], ''), 'One must be equal.', {
        minItems: 1,
      }),
      all: list(either([Type.String(), ref('expressionTree')], ''), 'All must be equal.', {
        minItems: 1,
      }),
    },
    {
      title: 'Expression tree',
      description: 'Names of target properties (or further trees) to compare; either `any` or `all`.',
      'x-rule': 'expressionTree',
    },
  ),
  syncFailureHandler: Type.Object(
    {
      maxRetries: whole(
        'How often a failed change is tried again before `postRetryAction`; negative or absent: for ever.',
      ),
      postRetryAction: shape('postRetryAction', 'What happens after the last retry.'),
    },
    { title: 'Failure handler', description: 'What to do with a change that cannot be processed.' },
  ),
  postRetryAction: Type.Union(
    [
      required(choice('a post-retry action', ['logged-ignore', 'dead-letter-queue'], 'A built-in action.')),
      required(object({ script: required(shape('script', 'The script to call.')) }, 'A script to call.')),
    ],
    { title: 'Post-retry action', description: '`logged-ignore`, `dead-letter-queue`, or `{"script": …}`.' },
  ),
  reconAssociation: Type.Object(
    {
      maxAnalysisRunsPerMapping: whole('Stored analysis runs that are kept for a mapping.', 1, {
        minimum: 0,
      }),
      maxNonAnalysisRunsPerMapping: whole('Other stored runs that are kept for a mapping.', 1, {
        minimum: 0,
      }),
    },
    { title: 'Stored runs', description: 'How many stored reconciliation runs are kept for each mapping.' },
  ),
  policyReference: Type.Object(
    {
      policyId: required(text('The id of the policy, e.g. `minimum-length`.')),
      params: dictionary(Type.Unknown(), 'Parameters of the policy, e.g. `{"minLength": 8}`.', {
        default: {},
      }),
    },
    { title: 'Policy reference', description: 'A policy that values of a property must satisfy.' },
  ),
  resourceQuery: Type.Object(
    {
      queryFilter: text('Which objects may be referred to.', { format: 'query-filter', default: 'true' }),
      fields: texts('Fields shown when choosing one.'),
      sortKeys: texts('The sort order of the objects.'),
    },
    {
      title: 'Resource query',
      description: 'Which objects of a collection may be referred to.',
      'x-restricts': ['queryFilter'],
    },
  ),
}
