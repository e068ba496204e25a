/** The schema of `policy.json` (platform §6.3). */
import Type from 'typebox'
import { list, object, required, text, texts } from './author.ts'

export const policySchema = Type.Object(
  {
    type: text('The language: `text/javascript`.'),
    file: text('The file of the shipped policies, `policy.js`: they are built in and it is not run.'),
    additionalFiles: texts('Files with policies of your own, which they declare with `addPolicy`.', {
      default: [],
    }),
    globals: object(
      { additionalPolicies: texts('The same as text, instead of files.') },
      'Variables of the shipped file.',
      { additionalProperties: true },
    ),
    resources: list(
      Type.Object({
        resource: required(text('The resource, e.g. `managed/user/*`; a star stands for one segment.')),
        properties: list(
          Type.Object({
            name: required(text('The property: `password`, `address/city`, `mails[*]`.')),
            policies: list(Type.Unsafe({ $ref: '#/$defs/policyReference' }), 'Its policies.'),
            policyRequirements: texts('Filled in by whoever reads the resource.'),
          }),
          'Policies by property.',
        ),
      }),
      'Policies of properties beside those in `managed.json`, whose parameters win.',
      { default: [] },
    ),
  },
  { title: 'Policies', description: '`conf/policy.json`: policies of your own, and policies by resource.' },
)
