import type { Hook, Mapping } from '../../mapping/mapping.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { ProcedureName } from '../../plan/procedures.ts'
import type { ObjectSet } from '../../router/resources.ts'
import type { Correlator } from '../page/correlate.ts'
import type { MappingLinks } from '../page/links.ts'
import type { Rules } from '../page/rules.ts'
import type { Durations } from './durations.ts'

/**
 * The same rules, links and object sets, their calls timed under the names of engine §7.7. We work on
 * pages: a sample is a call, be it for one object or for five hundred, and the scripts of a procedure are timed
 * together, as they run.
 */
export function measuredRules(rules: Rules, durations: Durations): Rules {
  return {
    ...rules,
    async ask(procedure, inputs, context) {
      const metric = inputs.length > 0 ? scriptMetric(rules.mapping, procedure, inputs) : undefined
      const ask = () => rules.ask(procedure, inputs, context)
      return metric === undefined ? ask() : durations.time(metric, ask)
    },
  }
}

/** Which script a procedure runs; undefined where it runs none. */
function scriptMetric(
  mapping: Mapping,
  procedure: ProcedureName,
  inputs: readonly Json[],
): string | undefined {
  const { hooks, correlation, properties, policies } = mapping
  switch (procedure) {
    case 'qualify':
    case 'acceptSource':
      return mapping.validSource && 'validSourceScript'
    case 'acceptTarget':
      return mapping.validTarget && 'validTargetScript'
    case 'qualifiers':
      return mapping.qualifiers.kind === 'script' ? 'linkQualifiersScript' : undefined
    case 'correlate':
      return correlation.kind === 'script' ? 'correlationScript' : undefined
    case 'choose':
      return policies.some(({ action }) => action.kind === 'script') ? 'activePolicyScript' : undefined
    case 'shapeTarget':
      return shapeMetric(hooks, properties)
    case 'matchPolicy':
    case 'explain':
      return undefined
    case 'runHook':
      return hookMetric(hooks, (inputs[0] as JsonObject).script)
    case 'runPostAction':
      return 'activePolicyPostActionScript'
  }
}

function shapeMetric(hooks: Mapping['hooks'], properties: Mapping['properties']): string | undefined {
  if (hooks.onCreate ?? hooks.onUpdate) return hooks.onCreate ? 'onCreateScript' : 'onUpdateScript'
  if (hooks.onMapping) return 'onMappingScript'
  return properties.some(({ transform }) => transform !== undefined) ? 'propertyMappingScript' : undefined
}

function hookMetric(hooks: Mapping['hooks'], script: Json | undefined): string {
  return `${(Object.keys(hooks) as Hook[]).find((name) => hooks[name] === script)}Script`
}

export function measuredLinks(links: MappingLinks, durations: Durations): MappingLinks {
  return {
    ...links,
    ofSources: (qualifier, ids) => durations.time('sourceLinkQuery', () => links.ofSources(qualifier, ids)),
    remove: (gone, store) => durations.time('deleteLinkObject', () => links.remove(gone, store)),
    ofTargets: (qualifier, ids) => durations.time('targetLinkQuery', () => links.ofTargets(qualifier, ids)),
  }
}

/** Where there is nothing to correlate there is nothing to time. */
export function measuredCorrelator(correlator: Correlator, durations: Durations): Correlator {
  return {
    ...correlator,
    correlate: (operations) =>
      operations.length === 0
        ? correlator.correlate(operations)
        : durations.time('correlationQuery', () => correlator.correlate(operations)),
  }
}

/** Reading by id is timed under `metric`; the writes of a target as what they are. */
export function measuredSet(set: ObjectSet, metric: string, durations: Durations): ObjectSet {
  const { joining } = set
  return {
    ...set,
    readMany: (ids, signal) => durations.time(metric, () => set.readMany(ids, signal)),
    writeMany(writes, request, signal) {
      const deletes = writes.every(({ operation }) => operation === 'delete')
      return durations.time(deletes ? 'deleteTargetObject' : 'updateTargetObject', () =>
        set.writeMany(writes, request, signal),
      )
    },
    ...(joining && { joining: (store) => measuredSet(joining(store), metric, durations) }),
  }
}
