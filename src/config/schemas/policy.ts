/** The schema of `policy.json` (platform §6.3). */
import Type from 'typebox'
import { list, object, ref, required, text, texts } from './author.ts'

export const policySchema = Type.Object(
  {
    type: text('The language: `text/javascript`.'),
    file: text('The file of the shipped policies, `policy.js`. It is not run: they are built in.'),
    additionalFiles: texts('Files with policies of your own, which they declare with `addPolicy`.', {
      default: [],
    }),
    globals: object(
      { additionalPolicies: texts('Policies as code, instead of `additionalFiles`.') },
      'Variables of the shipped file.',
      { additionalProperties: true },
    ),
    resources: list(
      Type.Object({
        resource: required(text('The resource, e.g. `managed/user/*`; a star stands for one segment.')),
        properties: list(
          Type.Object({
            name: required(text('The property: `password`, `address/city`, `mails[*]`.')),
            policies: list(ref('policyReference'), 'Its policies.'),
            policyRequirements: texts('Computed when the resource is read.'),
          }),
          'Policies by property.',
        ),
      }),
      'Policies in addition to those in `managed.json`. If both have one, the parameters in `managed.json` win.',
      { default: [] },
    ),
  },
  { title: 'Policies', description: '`conf/policy.json`: policies of your own, and policies by resource.' },
)
