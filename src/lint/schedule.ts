/** What a person would doubt in a schedule: references to what is not there. */
import { asObject, type JsonObject } from '../model/json.ts'
import { type Doubt, doubt, filterDoubts, noSuch, noSuchSet, pointerDoubts } from './names.ts'
import type { Shapes } from './shape.ts'

const actions: Readonly<Record<string, readonly string[]>> = {
  sync: ['reconcile', 'recon', 'reconById'],
  provisioner: ['liveSync', 'activeSync'],
}

export function scheduleDoubts(
  { invokeService, invokeContext }: JsonObject,
  mappings: readonly string[],
  shapes: Shapes,
): readonly Doubt[] {
  const service = String(invokeService).split('.').at(-1)?.toLowerCase() ?? ''
  const context = asObject(invokeContext)
  const { action, mapping, source, scan } = context
  const known = Object.hasOwn(actions, service) ? actions[service] : undefined
  const place = ['invokeContext']
  const found: Doubt[] = []
  if (known && !known.includes(String(action)))
    found.push(
      doubt(
        [...place, 'action'],
        noSuch(String(action ?? ''), known, `${service} has no action ${JSON.stringify(action ?? null)}`),
      ),
    )
  if (service === 'sync' && typeof mapping === 'string' && !mappings.includes(mapping))
    found.push(
      doubt(
        [...place, 'mapping'],
        noSuch(mapping, mappings, `there is no mapping ${JSON.stringify(mapping)}`),
      ),
    )
  if (service === 'provisioner' && typeof source === 'string' && !shapes.exists(source))
    found.push(doubt([...place, 'source'], noSuchSet(source, shapes)))
  if (service === 'taskscanner') found.push(...scanDoubts(asObject(scan), shapes))
  return found
}

function scanDoubts({ object, _queryFilter, property }: JsonObject, shapes: Shapes): readonly Doubt[] {
  if (typeof object !== 'string') return []
  const place = ['invokeContext', 'scan']
  if (!shapes.exists(object)) return [doubt([...place, 'object'], noSuchSet(object, shapes))]
  const shape = shapes.of(object)
  return [
    ...filterDoubts(shape, _queryFilter, [...place, '_queryFilter']),
    // What begins a task is often set over REST alone.
    ...pointerDoubts(shape, property, [...place, 'property'], 'keeps'),
  ]
}
