import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { RequestContext } from '../../router/resources.ts'
import { replacedAt, spotsAt } from '../type/places.ts'
import type { ScriptResult } from '../type/scripts.ts'
import type { Draft, Entry, WriteContext } from './entry.ts'

/**
 * The stage of the scripts before the write (platform §6.2): `onCreate`, `onUpdate` or `onDelete`, then
 * `onValidate` of the properties and of the object, then `onStore` of the properties. What one throws refuses the write.
 */
export async function runScripts(context: WriteContext, draft: Draft): Promise<Draft> {
  const { write, stored, old = null } = draft
  const { id } = write
  if (write.operation === 'delete') {
    const { scripts, encryption } = context.compiled
    if (scripts.has('onDelete'))
      await runHook(context, 'onDelete', id, { object: await encryption.decrypt(stored ?? {}) })
    return draft
  }
  const wanted = { ...write.content, _id: id, ...(stored && { _rev: stored._rev }) }
  return { ...draft, write: { ...write, content: await shaped(context, id, wanted, old) } }
}

/** The last stage before the store: encryption and hashing, then `onStore` of the object, which sees what will be stored. */
export async function encrypt(context: WriteContext, draft: Draft): Promise<Entry> {
  const { write, stored } = draft
  if (write.operation === 'delete') return draft
  const { encryption, relations } = context.compiled
  const kept = await encryption.encrypt(write.content, stored)
  const { object = kept } = await runHook(context, 'onStore', write.id, { object: kept })
  const { _id, _rev, ...content } = object
  // Scripts may have undone the change. With relationships, this is checked when they are written.
  if (stored && !relations && equal({ ...content, _id: stored._id, _rev: stored._rev }, stored))
    return { ok: true, object: stored }
  return { ...draft, write: { ...write, content } }
}

/** A script of the type, if it has one of the name, with what all of them see (platform §7.3). */
export async function runHook(
  { compiled: { scripts, collection }, request }: WriteContext,
  script: string,
  id: string,
  variables: JsonObject,
): Promise<ScriptResult> {
  if (!scripts.has(script)) return {}
  const resourceName = `${collection}/${joinPath(id)}`
  const described = { resourcePath: resourceName, additionalParameters: { ...request.parameters } }
  return scripts.run(script, { ...variables, resourceName, request: described }, withoutAfterwards(request))
}

/** Requests caused by a script or a synchronization are not part of the caller's page. The same answer for the same request. */
export function withoutAfterwards(request: RequestContext): RequestContext {
  const known = caused.get(request)
  if (known) return known
  const { takeFollowUp, ...chain } = request.chain ?? {}
  const own = { ...request, chain }
  caused.set(request, own)
  return own
}

const caused = new WeakMap<RequestContext, RequestContext>()

/** The object as the scripts leave it. */
async function shaped(
  context: WriteContext,
  id: string,
  wanted: JsonObject,
  oldObject: JsonObject | null,
): Promise<JsonObject> {
  const { onValidate, onStore } = context.compiled
  const variables = { object: wanted, newObject: wanted, oldObject }
  const { object = wanted } = await runHook(context, oldObject ? 'onUpdate' : 'onCreate', id, variables)
  for (const { path, script } of onValidate)
    for (const { pointer, value = null } of spotsAt(object, path))
      await runValidation(context, script, id, { object, value, property: pointer.join('/') })
  await runValidation(context, 'onValidate', id, { object, value: object })
  let result = object
  for (const { path, script } of onStore)
    result = await replacedAt(result, path, async ({ pointer, value: property = null }) => {
      const propertyName = pointer.join('/')
      return (await runHook(context, script, id, { object: result, property, propertyName })).value
    })
  return result
}

/** If a validating script throws, the client gets what it threw with a `code`, and 403 with its text otherwise. */
async function runValidation(
  context: WriteContext,
  script: string,
  id: string,
  variables: JsonObject,
): Promise<void> {
  try {
    await runHook(context, script, id, variables)
  } catch (cause) {
    // One that was stopped, or could not run, has not judged the value.
    if (!(cause instanceof Problem) || cause.code !== 'SCRIPT_FAILED') throw cause
    const thrown = cause.cause instanceof Problem ? cause.cause : undefined
    const { message, detail } = thrown ?? cause
    throw new Problem('POLICY_FAILED', message, { status: thrown?.status, detail, cause })
  }
}
