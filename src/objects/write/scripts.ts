import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import { nameOf, placesOf, replacedAt, type Step, spotsAt } from '../type/places.ts'
import { propertyScript, type ScriptResult } from '../type/scripts.ts'
import type { Draft, WriteContext } from './entry.ts'

/**
 * The stage of the scripts before the write (platform §6.2): `onCreate`, `onUpdate` or `onDelete`, then
 * `onValidate` of the properties and of the object, then `onStore` of the properties. What one throws refuses the write.
 */
export function runScripts(context: WriteContext, draft: Draft): Draft | Promise<Draft> {
  return context.compiled.oneByOne ? scripted(context, draft) : draft
}

async function scripted(context: WriteContext, draft: Draft): Promise<Draft> {
  const { compiled } = context
  switch (draft.kind) {
    case 'create': {
      const content = await shaped(context, 'onCreate', { ...draft.content, _id: draft.id }, null)
      return { ...draft, content }
    }
    case 'update': {
      const wanted = { ...draft.content, _id: draft.id, _rev: draft.stored._rev }
      return { ...draft, content: await shaped(context, 'onUpdate', wanted, draft.old) }
    }
    case 'delete':
      if (compiled.scripts.has('onDelete'))
        await runHook(context, 'onDelete', draft.id, {
          object: await compiled.encryption.decrypt(draft.stored ?? {}),
        })
      return draft
  }
}

/** A script of the type, if it has one of the name, with what all of them see (platform §7.3). */
export async function runHook(
  { compiled: { scripts, collection }, request }: WriteContext,
  script: string,
  id: string,
  variables: JsonObject,
): Promise<ScriptResult> {
  if (!scripts.has(script)) return {}
  const resourceName = `${collection}/${id}`
  const described = { resourcePath: resourceName, additionalParameters: { ...request.parameters } }
  return scripts.run(script, { ...variables, resourceName, request: described }, withoutAfterwards(request))
}

/** What a script or a synchronization causes is no part of the caller's page. */
export function withoutAfterwards(request: RequestContext): RequestContext {
  const { afterwards, ...chain } = request.chain ?? {}
  return { ...request, chain }
}

/** The object as the scripts leave it. */
async function shaped(
  context: WriteContext,
  hook: 'onCreate' | 'onUpdate',
  wanted: JsonObject,
  oldObject: JsonObject | null,
): Promise<JsonObject> {
  const id = String(wanted._id)
  const variables = { object: wanted, newObject: wanted, oldObject }
  const { object = wanted } = await runHook(context, hook, id, variables)
  const places = placesOf(context.compiled.type)
  for (const { path } of places) await validateAt(context, path, object, id)
  await runValidation(context, 'onValidate', id, { object, value: object })
  let result = object
  for (const { path } of places) {
    const script = propertyScript(nameOf(path), 'onStore')
    if (!context.compiled.scripts.has(script)) continue
    result = await replacedAt(result, path, async ({ pointer, value: property = null }) => {
      const propertyName = pointer.join('/')
      return (await runHook(context, script, id, { object: result, property, propertyName })).value
    })
  }
  return result
}

async function validateAt(
  context: WriteContext,
  path: readonly Step[],
  object: JsonObject,
  id: string,
): Promise<void> {
  const script = propertyScript(nameOf(path), 'onValidate')
  if (!context.compiled.scripts.has(script)) return
  for (const { pointer, value = null } of spotsAt(object, path))
    await runValidation(context, script, id, { object, value, property: pointer.join('/') })
}

/** What a script throws that validates is the client's answer: 403 with its text. */
async function runValidation(
  context: WriteContext,
  script: string,
  id: string,
  variables: JsonObject,
): Promise<void> {
  try {
    await runHook(context, script, id, variables)
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    const own = cause.cause instanceof Problem ? cause.cause : cause
    throw new Problem('POLICY_FAILED', own.message, { detail: own.detail, cause })
  }
}
