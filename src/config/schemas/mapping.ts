/** The schemas of a mapping (engine §2.2–§2.6). */
import Type, { type TSchema } from 'typebox'
import { actions, situations } from '../../mapping/situation.ts'
import {
  anyObject,
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
  withoutEffect,
} from './author.ts'

const script = ref('script')
const durationFormat = { pattern: '^\\s*(\\d+\\s*(ms|[smhdw])\\s*)+$' }

export const mappingDefinitions: Readonly<Record<string, TSchema>> = {
  property: Type.Object(
    {
      target: required(
        text(
          'Where the value goes in the target object: a slash pointer such as `name/givenName`; not the root.',
        ),
      ),
      source: text(
        'Where the value comes from in the source object: a slash pointer; `""` is the whole object. ' +
          'Absent: the value starts as null.',
      ),
      transform: shape('script', 'Makes the value; its variable `source` is the value found at `source`.'),
      condition: shape(
        'condition',
        'Evaluated over `{object, target, oldTarget, oldSource, linkQualifier}`. False: the target property is not changed.',
      ),
      default: anything('The value if there is no other.', { default: null }),
    },
    {
      title: 'Property',
      description:
        'How one target property gets its value. Applied in array order; later ones overwrite earlier ones.',
      'x-rule': 'property',
      'x-restricts': ['condition'],
    },
  ),
  policy: Type.Object(
    {
      situation: required(
        choice('a situation', situations, 'The situation that the policy is for, in any letter case.', {
          'x-ignoreCase': true,
        }),
      ),
      action: required(
        either(
          [
            required(choice('an action', actions, 'The name of an action.', { 'x-ignoreCase': true })),
            script,
          ],
          'The action: its name in any letter case, or a script that returns the name in upper case.',
        ),
      ),
      condition: shape(
        'condition',
        'Evaluated over `{object, linkQualifier}`. The first policy of the situation whose condition is true applies.',
      ),
      postAction: shape('script', 'Runs after the action, but not after IGNORE, ASYNC or EXCEPTION.'),
      deleteAfter: text(
        '`deleteAfter` of the mapping, for a DELETE by this policy; `0d`: at once.',
        durationFormat,
      ),
    },
    {
      title: 'Policy',
      description: 'The action for a situation. Without a policy, the situation has its default action.',
      'x-restricts': ['condition', 'deleteAfter'],
    },
  ),
  correlationQuery: Type.Object(
    {
      linkQualifier: text('The link qualifier that the query is for.', { default: 'default' }),
      type: text('The language: `text/javascript`. Required with `source`.'),
      source: text('The code; its value is a query object, run against the target.'),
      file: text('A file with the code.'),
      name: text('The same as `file`.'),
      globals: anyObject('Variables of the script.', { default: {} }),
      expressionTree: shape('expressionTree', 'Target properties to compare, instead of code.'),
      mapping: text('With `expressionTree`: the name of this mapping.'),
    },
    {
      title: 'Correlation query',
      description: 'Finds the target objects that may belong to a source object.',
      'x-noun': 'a correlation query',
      'x-open': true,
      'x-rule': 'correlationQuery',
    },
  ),
  queuedSync: Type.Object(
    {
      enabled: flag('Store changes in a queue and process them later.', false),
      pageSize: whole('Events read at a time.', 100, { minimum: 10, maximum: 100 }),
      pollingInterval: whole('Milliseconds between two polls of an empty queue.', 1000, { minimum: 1 }),
      maxQueueSize: whole('Events held in memory.', 1000, { minimum: 100, maximum: 1000 }),
      maxRetries: whole('How often a failing event is tried again; negative or absent: for ever.'),
      retryDelay: whole('Milliseconds between two tries.', 1000, { minimum: 0 }),
      postRetryAction: shape('postRetryAction', 'What happens after the last retry.'),
    },
    {
      title: 'Queued sync',
      description: 'Implicit synchronization through a queue, not within the request.',
    },
  ),
}

const limitBranches = [
  Type.Integer({ minimum: 0 }),
  Type.String({ pattern: '^\\d+(\\.\\d+)?\\s*%?$' }),
  Type.Null(),
]

/** A number of objects, or a percentage of the linked targets; null: no limit. */
function limit(description: string, standard?: string): TSchema {
  return either(
    limitBranches,
    `${description} A number, or a percentage of the linked targets. A percentage applies only if there are more than 100 of them. Null: no limit.`,
    standard === undefined ? {} : { default: standard },
  )
}

/** The properties in the order in which the reference lists them. */
const mappingProperties: Readonly<Record<string, TSchema>> = {
  name: text('The unique name. It also names the link set of the mapping, unless `links` names another.', {
    minLength: 1,
  }),
  source: required(
    text('The object set that objects come from, e.g. `managed/user` or `system/hr/account`.', {
      minLength: 1,
    }),
  ),
  target: required(text('The object set that objects go to.', { minLength: 1 })),
  displayName: text('A name for people.'),
  displayAttributes: texts(
    'The attributes by which people call an object, in plans: of the source, else of the target. Without it the first that ' +
      'there is: `displayName`, `fullName`, `cn`, `givenName` and `sn`, `userName`, `name`, `mail`.',
  ),
  icon: text('A picture for the user interface.'),
  consentRequired: flag(
    'A managed object qualifies only if its `consentedMappings` names this mapping. Applies only if `conf/consent.json` ' +
      'has `"enabled": true`.',
    false,
  ),
  links: text(
    'The name of another mapping whose link set to use. It must have the same two object sets, in either direction.',
  ),
  linkQualifiers: either(
    [Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true }), script],
    'Labels that allow several links for one source object: an array, or a script that returns one.',
    { default: ['default'] },
  ),
  enableLinking: flag('False: no link is read, made, changed or removed.', true),
  sourceIdsCaseSensitive: flag(
    'False: source ids are compared and stored in lower case. Applies only in the mapping that defines the link set.',
    true,
  ),
  targetIdsCaseSensitive: flag('The same for target ids.', true),
  prefetchLinks: flag(
    'Read links for many objects at once in a reconciliation.',
    true,
    withoutEffect('links are always read one page at a time'),
  ),

  enableSync: flag(
    'False: implicit synchronization and liveSync skip this mapping. Reconciliation still works.',
    true,
  ),
  syncAfter: texts(
    'Names of mappings that are processed before this one. Orders mappings that have their own files.',
  ),
  triggerSyncProperties: texts(
    'Pointers to properties. An update is synchronized only if one of them changed. Reconciliation ignores this list.',
    { default: [] },
  ),
  queuedSync: shape('queuedSync', 'Process changes through a queue.'),
  optimizeAssignmentSync: flag(
    'A performance hint for role assignments; never changes results.',
    false,
    withoutEffect('there is nothing to optimize'),
  ),

  validSource: hook('Does a source object take part? Must return a boolean.'),
  validTarget: hook('Does a target object take part? Must return a boolean.'),
  sourceCondition: shape(
    'condition',
    'Evaluated over `{source, linkQualifier}`; false: the object does not qualify.',
  ),
  correlationQuery: either(
    [ref('correlationQuery'), Type.Array(ref('correlationQuery'), { 'x-noun': 'an array of them' })],
    'Finds targets for a source object without a link: one query, or an array with one for each link qualifier.',
  ),
  correlationScript: shape(
    'correlationQuery',
    'Finds targets itself and returns them as an array, for all link qualifiers. Not together with `correlationQuery`.',
  ),
  correlateEmptyTargetSet: flag(
    'Correlate even if the target set was empty when the reconciliation began.',
    false,
  ),

  properties: list(ref('property'), 'How target properties get their values, in order.', {
    default: [],
  }),
  policies: list(ref('policy'), 'The action for each situation.', {
    default: [],
  }),
  defaultMapping: hook('The older name of `onMapping`.'),
  onMapping: hook(
    'Runs after `properties`; changes `target` in place. Replaces the built-in role assignments.',
  ),
  onCreate: hook('Runs before a target object is created.'),
  onUpdate: hook('Runs before a target object is updated, even if nothing changed.'),
  onDelete: hook('Runs before a target object is deleted.'),
  onLink: hook('Runs before a link is stored.'),
  onUnlink: hook('Runs before a link is deleted.'),
  postMapping: hook('Runs after CREATE, UPDATE and LINK.'),
  onError: hook('Runs after an operation failed. If the script fails too, that is only logged.'),
  onRecon: hook('Runs once at the beginning of a reconciliation. If it fails, the run fails.'),
  result: hook('Runs once at the end of a reconciliation, with its statistics.'),

  sourceQuery: shape('query', 'The source objects of a reconciliation; default: all.'),
  targetQuery: shape('query', 'The target objects of a reconciliation; default: all.'),
  sourceQueryFullEntry: flag('Does `sourceQuery` return whole objects? Default: decided for each entry.'),
  targetQueryFullEntry: flag(
    'Does `targetQuery` return whole objects?',
    undefined,
    withoutEffect(
      'each target is read before it is written, so that fields which the query left out are kept',
    ),
  ),
  defaultSourceFields: texts(
    'Fields of source objects to read if the query names no `_fields`: pointers; `*` means everything.',
  ),
  defaultTargetFields: texts(
    'Fields of target objects that properties and scripts see, in addition to those that `properties` write; `*` means ' +
      'everything. An update keeps the other fields.',
  ),
  runTargetPhase: flag(
    'Process target objects without a source. Default: true for `recon`, false for `reconById`.',
  ),
  allowEmptySourceSet: flag(
    'False: a reconciliation or a liveSync that finds an empty source set fails before it changes anything.',
    false,
  ),
  deleteAfter: text(
    'A linked target is not deleted at once, but disabled, and deleted by the first run after this time, e.g. `30d`. If its source ' +
      'is back before, the same target is used again. OpenIDM does not know this setting.',
    durationFormat,
  ),
  disable: dictionary(
    Type.Unknown(),
    'With `deleteAfter`: what disables a target, attribute → value, e.g. `{"accountStatus": "inactive"}`.',
  ),
  guard: either(
    [
      object(
        {
          maxDeletes: limit('Targets that one run may delete.', '30%'),
          maxDisables: limit(
            'Targets that one run may disable: updates that set a value of `disabling`.',
            '30%',
          ),
          maxUnlinks: limit('Targets that one run may unlink.', '30%'),
          maxUpdates: limit('Targets that one run may change.'),
          maxCreates: limit('Targets that one run may create.'),
          attributes: dictionary(
            Type.Union(limitBranches),
            'Attribute of the target → how many targets one run may change it of, e.g. `{"sn": "5%"}`.',
            { default: {} },
          ),
          disabling: dictionary(
            Type.Unknown(),
            'Attribute of the target → the value, or an array of values, that disables. Letter case does not matter.',
            { default: { accountStatus: 'inactive', __ENABLE__: false, active: false } },
          ),
          window: text(
            'Within this time the changes of single objects (implicit, queued) are counted together. Units: `s`, `m`, `h`, `d`.',
            { default: '1h' },
          ),
        },
        'The limits of one run. A run that would exceed them stops before its first write.',
        {
          'x-restricts': [
            'maxDeletes',
            'maxDisables',
            'maxUnlinks',
            'maxUpdates',
            'maxCreates',
            'attributes',
            'disabling',
          ],
        },
      ),
      Type.Literal(false),
    ],
    'How much one reconciliation or liveSync may delete, disable, unlink, change and create; `false`: no limits.',
  ),
  maxFailures: whole(
    'A run is stopped at the end of the page in which more objects than this have failed. Default: no limit. OpenIDM does not know ' +
      'this setting.',
    undefined,
    { minimum: 0 },
  ),
  taskThreads: whole('Objects processed at the same time; 0: one after the other.', 10, { minimum: 0 }),
  feedSize: whole('Objects read ahead.', 1000, {
    minimum: 1,
    ...withoutEffect('one page is read ahead, of any size'),
  }),
  reconSourceQueryPaging: flag(
    'The page size of the source. True: `reconSourceQueryPageSize`; false: 500. The source is always read in pages.',
    false,
  ),
  reconSourceQueryPageSize: whole('Objects in a page of the source, with `reconSourceQueryPaging`.', 1000, {
    minimum: 1,
  }),
  reconTargetQueryPaging: flag(
    'The page size of target ids. True: `reconTargetQueryPageSize`; false: 5000. They are always read in pages.',
    false,
  ),
  reconTargetQueryPageSize: whole('Ids in a page of the target, with `reconTargetQueryPaging`.', 5000, {
    minimum: 1,
  }),
  clusteredSourceReconEnabled: flag(
    'Share source pages among the nodes of a cluster.',
    false,
    withoutEffect('one node does the whole run'),
  ),
  cleanUpLinks: flag(
    'After the target phase, delete links whose source and target no longer exist. Only in runs over whole sets. ' +
      'OpenIDM does not know this setting.',
    false,
  ),
  reconProgressStateUpdateInterval: whole('Store the progress of a run after this many objects.', 1024, {
    minimum: 1,
    ...withoutEffect('progress is stored with every page'),
  }),
  reconAssociation: shape(
    'reconAssociation',
    'How many stored runs are kept. Overrides the setting in `sync.json`.',
  ),
}

const about = {
  title: 'Mapping',
  description: 'How objects flow from one object set to another.',
  'x-rule': 'mapping',
  'x-restricts': [
    'sourceQuery',
    'targetQuery',
    'sourceCondition',
    'validSource',
    'validTarget',
    'deleteAfter',
  ],
}

/** One mapping in its own file, `mapping-<name>.json`. The name comes from the file. */
export const mappingSchema = Type.Object(mappingProperties, about)

export const namedMappingSchema = Type.Object(
  { ...mappingProperties, name: required(mappingProperties.name ?? Type.String()) },
  about,
)
