/** The schema of `managed.json` (platform §6.1, §6.2). */
import Type, { type TSchema } from 'typebox'
import {
  anything,
  choice,
  dictionary,
  either,
  flag,
  hook,
  list,
  object,
  ref,
  required,
  shape,
  text,
  texts,
  whole,
} from './author.ts'
import { looseCondition } from './router.ts'

const types = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'relationship', 'null']
const typeName = required(choice('a type', types, 'A type.'))

/** Stock schemas have `"true"` there, and only a user interface reads it. */
const asText = { 'x-lenient': true }
/** Keywords that user interfaces and other readers of the schema know. */
const jsonSchemaKeywords = (
  'maxLength minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems minProperties ' +
  'maxProperties format const examples readOnly writeOnly additionalProperties additionalItems patternProperties ' +
  'dependencies order id $id $schema $ref deprecated nullable allOf anyOf oneOf not contains'
).split(' ')

export const managedDefinitions: Readonly<Record<string, TSchema>> = {
  managedProperty: Type.Object(
    {
      type: either([typeName, Type.Array(typeName)], 'The type of values, or a list of types.'),
      title: text('A name for people.'),
      description: text('An explanation for people.'),
      usageDescription: text('How the property is used, for people.'),
      viewable: flag('Shown in the user interface.', true, asText),
      searchable: flag('Offered for searching in the user interface.', false, asText),
      userEditable: flag('May users change their own value?', false, asText),
      isPersonal: flag('Personal data.', false),
      default: anything('The value on create if there is none.'),
      minLength: whole('The least number of characters; becomes a policy.', undefined, { minimum: 0 }),
      pattern: text('A regular expression that values match; becomes a policy.', { format: 'regex' }),
      enum: list(Type.Unknown(), 'The values that are allowed.'),
      policies: list(ref('policyReference'), 'Policies that values satisfy.', {
        default: [],
      }),
      conditionalPolicies: list(
        Type.Object({
          condition: looseCondition(
            'When the policies apply: a query filter over the object, or a script that sees `fullObject`.',
          ),
          dependencies: texts('Properties that the condition needs. Without them it is false.'),
          policies: list(ref('policyReference'), 'The policies.'),
        }),
        'Policies that apply under a condition.',
        { default: [] },
      ),
      fallbackPolicies: list(ref('policyReference'), 'Policies that apply if no condition is true.', {
        default: [],
      }),
      isVirtual: flag('Computed, not stored.', false),
      queryConfig: object(
        {
          referencedRelationshipFields: list(
            Type.Unknown(),
            'The relationships to follow, in order; or a list of such lists.',
          ),
          referencedObjectFields: texts(
            'The fields to collect; `*`: the whole object. Default: only the references.',
          ),
          flattenProperties: flag('Collect plain values instead of objects, each once.', false),
        },
        'How a virtual property is computed from relationships.',
        { 'x-restricts': ['referencedRelationshipFields', 'referencedObjectFields'] },
      ),
      returnByDefault: flag(
        'True: returned even if `_fields` does not name it. Default: false for virtual properties and relationships, else true.',
      ),
      encryption: object(
        {
          key: text('The alias of the key.'),
          cipher: text('The cipher.', { default: 'AES/CBC/PKCS5Padding' }),
          purpose: text('The purpose of the secret.'),
        },
        'Store the value encrypted. Not together with `secureHash`.',
      ),
      secureHash: object(
        { algorithm: text('The algorithm.', { default: 'SHA-256' }), type: text('The kind of hash.') },
        'Store only a hash of the value.',
      ),
      scope: choice('a scope', ['public', 'private'], '`private`: hidden from callers outside.', {
        default: 'public',
      }),
      comparison: choice(
        'a comparison',
        ['ordered', 'unordered'],
        'Of an array: `unordered`, if the order of its elements says nothing. The same elements in another order are no change.',
        { default: 'ordered' },
      ),
      isProtected: flag('A change needs renewed authentication.', false),
      items: shape('managedProperty', 'The elements of an array.'),
      properties: dictionary(ref('managedProperty'), 'The properties of an object.'),
      required: either(
        [Type.Array(Type.String()), Type.Boolean()],
        'The properties of an object that must have a value; older files say true or false at each property.',
      ),
      reverseRelationship: flag('The other end holds a reference back.', false),
      reversePropertyName: text('The name of the reference at the other end.'),
      validate: flag('The object referred to must exist.', false),
      resourceCollection: list(
        Type.Object({
          path: required(text('The object set, e.g. `managed/role`.')),
          label: text('A name for people.'),
          query: shape('resourceQuery', 'Which objects may be referred to.'),
          conditionalAssociation: flag('Grants may depend on conditions.'),
          conditionalAssociationField: text(
            'The field of the object referred to that holds the condition of a grant. Default: `condition` of a type `role`.',
          ),
          notify: either(
            [Type.Boolean(), Type.Array(Type.String())],
            'True, or a list of relationships: the object referred to is notified of a change.',
            { default: false },
          ),
        }),
        'Object sets that a relationship may refer to.',
      ),
      notifySelf: flag('A change of the relationship is a change of this object.', false),
      notifyRelationships: texts('Relationships that are notified of a change of this value.'),
      conditionalAssociationField: text('The field that holds the condition of a grant.'),
      relationshipGrantTemporalConstraintsEnforced: flag(
        'Grants may be limited in time. This is always possible.',
      ),
      isTemporalConstraint: flag('The value limits a role in time. `temporalConstraints` always does.'),
      isConditional: flag('The value is the condition of a grant, for the user interface.'),
      onValidate: hook('Runs before the value is stored. If it throws, the value is refused.'),
      onRetrieve: hook('Its value becomes the value that is read.'),
      onStore: hook('Its value becomes the value that is stored.'),
    },
    {
      title: 'Managed property',
      description: 'A property of a managed object.',
      'x-rule': 'managedProperty',
      'x-keywords': jsonSchemaKeywords,
    },
  ),
  managedObject: Type.Object(
    {
      name: required(
        text('The type: objects are `managed/<name>/<id>`.', { minLength: 1, pattern: '^[^/\\s]+$' }),
      ),
      title: text('A name for people.'),
      type: text('The kind of type, for the user interface.'),
      iconClass: text('A picture for the user interface.'),
      schema: object(
        {
          $schema: text('The schema language.'),
          id: text('The id of the schema.'),
          title: text('A name for people.'),
          description: text('An explanation for people.'),
          type: text('Always `object`.', { default: 'object' }),
          icon: text('A picture for the user interface.'),
          viewable: flag('Shown in the user interface.', true, asText),
          properties: dictionary(ref('managedProperty'), 'The properties, by name.', {
            default: {},
          }),
          required: texts('Properties that must have a value.', { default: [] }),
          order: texts('The order in which properties are shown.'),
        },
        'The properties of the objects.',
      ),
      actions: dictionary(ref('script'), 'Further actions of an object, by name.', {
        default: {},
      }),
      onCreate: hook('Runs before an object is created; changes `object` in place.'),
      onUpdate: hook('Runs before an object is updated; changes `object` in place.'),
      onDelete: hook('Runs before an object is deleted. If it throws, the delete is refused.'),
      onRead: hook('Runs when an object is read.'),
      onRetrieve: hook('Runs when an object is read from the store.'),
      onStore: hook('Runs before an object is written to the store.'),
      onValidate: hook('Runs before an object is stored. If it throws, the request fails with 403.'),
      onQueryResult: hook('Runs for each object of a query; false drops the object.'),
      onSync: hook(
        'Runs after implicit synchronization, even if that failed. If it throws, the request fails.',
      ),
      postCreate: hook('Runs after an object was created.'),
      postUpdate: hook('Runs after an object was updated.'),
      postDelete: hook('Runs after an object was deleted.'),
    },
    { title: 'Managed object type', description: 'A type of objects in the store of Syncline.' },
  ),
}

export const managedSchema = Type.Object(
  { objects: list(ref('managedObject'), 'The types.', { default: [] }) },
  {
    title: 'Managed objects',
    description: '`conf/managed.json`: the types of objects in the store of Syncline.',
  },
)
