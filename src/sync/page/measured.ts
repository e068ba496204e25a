import type { Mapping } from '../../mapping/mapping.ts'
import type { DecisionInput, DecisionName } from '../../plan/programs.ts'
import type { ObjectSet } from '../../router/resources.ts'
import type { Durations, Metric } from './durations.ts'
import type { MappingLinks } from './links.ts'
import type { Rules } from './rules.ts'

/**
 * The same rules, links and object sets, their calls timed under the names of engine §7.7. A sample is a call, for one object
 * or for a page; scripts that run in one crossing are timed together, each under its name.
 */
export function measuredRules(rules: Rules, durations: Durations): Rules {
  return {
    ...rules,
    ask: (name, inputs, context) =>
      durations.time(inputs.length > 0 ? metricsOf[name](rules.mapping, inputs) : [], () =>
        rules.ask(name, inputs, context),
      ),
  }
}

/** Which scripts run with which inputs. */
const metricsOf: {
  readonly [N in DecisionName]: (mapping: Mapping, inputs: readonly DecisionInput<N>[]) => readonly Metric[]
} = {
  qualifiers: ({ qualifiers }) => [qualifiers.kind === 'script' && 'linkQualifiersScript'],
  question: ({ validSource, correlation }, inputs) => {
    const correlates = correlation.kind === 'script' && inputs.some((input) => input.correlates)
    return [validSource !== undefined && 'validSourceScript', correlates && 'correlationScript']
  },
  decide(mapping, inputs) {
    const { validTarget, policies } = mapping
    const isAsked = inputs.some(({ kind, target }) => kind !== 'source' && target !== null)
    const isShaped = inputs.some(({ source, wanted }) => source && wanted.until === 'shape')
    return [
      validTarget !== undefined && isAsked && 'validTargetScript',
      policies.some(({ action }) => action.kind === 'script') && 'activePolicyScript',
      isShaped && shapeMetric(mapping),
    ]
  },
  shape: (mapping) => [shapeMetric(mapping)],
  explain: () => [],
  hook: ({ hooks }, [first]) =>
    Object.entries(hooks).map(([name, script]) => script === first?.script && `${name}Script`),
  postAction: () => ['activePolicyPostActionScript'],
}

function shapeMetric({ hooks, properties }: Mapping): Metric {
  if (hooks.onCreate ?? hooks.onUpdate) return hooks.onCreate ? 'onCreateScript' : 'onUpdateScript'
  if (hooks.onMapping) return 'onMappingScript'
  return properties.some(({ transform }) => transform !== undefined) && 'propertyMappingScript'
}

export function measuredLinks(links: MappingLinks, durations: Durations): MappingLinks {
  return {
    ...links,
    ofSources: (qualifier, ids) => durations.time('sourceLinkQuery', () => links.ofSources(qualifier, ids)),
    remove: (gone, store) => durations.time('deleteLinkObject', () => links.remove(gone, store)),
    ofTargets: (qualifier, ids) => durations.time('targetLinkQuery', () => links.ofTargets(qualifier, ids)),
  }
}

/** Reading by id is timed under `metric`; the writes of a target as what they are. */
export function measuredSet(set: ObjectSet, metric: string, durations: Durations): ObjectSet {
  const { joining } = set
  return {
    ...set,
    readMany: (ids, signal) => durations.time(metric, () => set.readMany(ids, signal)),
    writeMany(writes, request, signal, idsSuffice) {
      const deletes = writes.every(({ operation }) => operation === 'delete')
      return durations.time(deletes ? 'deleteTargetObject' : 'updateTargetObject', () =>
        set.writeMany(writes, request, signal, idsSuffice),
      )
    },
    ...(joining && { joining: (store) => measuredSet(joining(store), metric, durations) }),
  }
}
