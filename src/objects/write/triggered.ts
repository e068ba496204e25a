import { equal } from '../../model/equality.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectWrite, Repository, StoredObject } from '../../repository/repository.ts'
import type { ObjectWriteResult, RequestContext } from '../../router/resources.ts'
import { refuseForeignSecrets } from '../policies/foreign-secrets.ts'
import { mergeFailures, policyFailure } from '../policies/validator.ts'
import { withHiddenValues } from '../read/hidden-values.ts'
import { carryOn, withRequired } from '../relationships/apply.ts'
import { recordChanges } from '../relationships/recompute.ts'
import type { Edits } from '../relationships/wanted.ts'
import {
  isUnchanged,
  type RelatedPage,
  type RelatedWrite,
  writeRelated,
} from '../relationships/write-related.ts'
import type { CompiledType, Relations } from '../type/compiled-type.ts'
import { nameOf, type Place, placesOf, replacedAt, type Step, spotsAt } from '../type/places.ts'
import { compensates, propertyScript } from '../type/scripts.ts'
import { activityEvent, isActivity, undone } from './activity.ts'
import type { Notified, ObjectChange, OnChange } from './changes.ts'
import { compensate } from './compensation.ts'
import { failure } from './failure.ts'
import { follow, isHeard } from './follow.ts'
import type { Apply, ManagedWrite } from './managed-write.ts'
import { asResult, draftOf, refuseDuplicates } from './prepare.ts'
import { reauthenticationFailures } from './protected.ts'
import { takenBack } from './taken-back.ts'

/** True for types whose objects cannot be written page by page. */
export function hasTriggers(compiled: CompiledType): boolean {
  const { type, scripts, sealing } = compiled
  const hooks = [
    'onCreate',
    'onUpdate',
    'onDelete',
    'postCreate',
    'postUpdate',
    'postDelete',
    'onStore',
    'onValidate',
    'onSync',
  ]
  const ofProperty = ({ path }: Place) =>
    scripts.has(propertyScript(nameOf(path), 'onStore')) ||
    scripts.has(propertyScript(nameOf(path), 'onValidate'))
  return (
    sealing.seals ||
    compiled.scriptedPolicies !== undefined ||
    compensates(type) ||
    hooks.some(scripts.has) ||
    placesOf(type).some(ofProperty)
  )
}

/**
 * Writes objects of a type with triggers, one after the other, each with its scripts in the order of
 * platform §6.2: policies → `onCreate`/`onUpdate` → `onValidate` and `onStore` of the properties → encryption →
 * `onStore` → write → `postCreate`/`postUpdate` → synchronization → `onSync`. A script that throws before the write
 * prevents it; a `post…` that throws takes it back (platform §6.2, [D]). Writes from outside come here whatever the type is: what they
 * may not see they do not erase, and what is protected they change only with the password.
 */
export function applyWithTriggers(repository: Repository, compiled: CompiledType, onChange: OnChange): Apply {
  return async (writes, request) => {
    const results: ObjectWriteResult[] = []
    for (const [position, write] of writes.entries()) {
      const single = new TriggeredWrite({ repository, compiled, onChange, request, position })
      results.push(await single.apply(write).catch((error) => ({ ok: false, error })))
    }
    return results
  }
}

interface Surroundings {
  readonly repository: Repository
  readonly compiled: CompiledType
  readonly onChange: OnChange
  readonly request: RequestContext
  readonly position: number
}

class TriggeredWrite {
  readonly #in: Surroundings
  readonly #listening: boolean

  constructor(surroundings: Surroundings) {
    this.#in = surroundings
    const { onChange, compiled, request } = surroundings
    this.#listening = isHeard(onChange, compiled.collection, request)
  }

  async apply(write: ManagedWrite): Promise<ObjectWriteResult> {
    switch (write.operation) {
      case 'create':
        return this.#create(write)
      case 'update':
        return this.#update(write)
      case 'delete':
        return this.#delete(write)
    }
  }

  async #create(write: ManagedWrite & { operation: 'create' }): Promise<ObjectWriteResult> {
    const { compiled, request } = this.#in
    if (request.external) {
      // PUT without a condition tries to create first: what is wrong with that says nothing about an update.
      if (write.id !== undefined && (await this.#read(write.id)))
        return { ok: false, error: failure(`${compiled.collection}/${write.id}`, 'exists') }
      refuseForeignSecrets(write.content, undefined)
    }
    const opened = { ...write, content: await compiled.sealing.open(write.content) }
    const draft = draftOf(compiled, opened)
    if (draft instanceof Problem) return { ok: false, error: draft }
    const { id, content } = draft
    const failures = mergeFailures([
      ...compiled.validate(content),
      ...(await this.#scriptedFailures({ ...content, _id: id }, '*')),
    ])
    if (failures.length > 0) return { ok: false, error: policyFailure(failures, 'write') }
    const object = await this.#shape('onCreate', { ...content, _id: id }, undefined)
    return this.#store({ operation: 'create', id, content: await this.#sealed(object, undefined) }, undefined)
  }

  async #update(write: ManagedWrite & { operation: 'update' }): Promise<ObjectWriteResult> {
    const { compiled } = this.#in
    const path = `${compiled.collection}/${write.id}`
    const stored = await this.#read(write.id)
    if (!stored) return { ok: false, error: failure(path, 'missing') }
    if (write.rev !== undefined && write.rev !== stored._rev)
      return { ok: false, error: failure(path, 'changed') }
    const { relations } = compiled
    if (this.#in.request.external) refuseForeignSecrets(write.content, stored)
    const [whole] = relations ? await withRequired(this.#in.repository, relations, [write]) : []
    const given = whole?.operation === 'update' ? whole.content : write.content
    const erasing = this.#in.request.external && !write.patched
    const { _id, _rev, ...content } = erasing
      ? withHiddenValues(given, stored, compiled.sealing.private)
      : given
    const [old, wanted] = [await compiled.sealing.open(stored), await compiled.sealing.open(content)]
    if (await this.#changesNothing(write, stored, old, wanted)) return { ok: true, object: stored }
    const failures = mergeFailures([
      ...compiled.validate(wanted, write.patched),
      ...(await this.#scriptedFailures({ ...wanted, _id: write.id }, write.id, write.patched)),
      ...(await reauthenticationFailures(compiled, old, wanted, this.#in.request)),
    ])
    if (failures.length > 0)
      return { ok: false, error: policyFailure(failures, write.patched ? 'patch' : 'write') }
    const object = await this.#shape('onUpdate', { ...wanted, _id: write.id, _rev: stored._rev }, old)
    const sealed = await this.#sealed(object, stored)
    if (!compiled.relations && equal({ ...sealed, _id: stored._id, _rev: stored._rev }, stored))
      return { ok: true, object: stored }
    const stated = { operation: 'update', id: write.id, rev: stored._rev, content: sealed } as const
    return this.#store(stated, stored, { edits: write.edits, patched: write.patched !== undefined })
  }

  /** Values in clear are compared, for what is encrypted anew looks different. */
  async #changesNothing(
    { id, edits }: ManagedWrite & { operation: 'update' },
    stored: StoredObject,
    old: JsonObject,
    wanted: JsonObject,
  ): Promise<boolean> {
    const { relations } = this.#in.compiled
    if (!relations) return equal({ ...wanted, _id: stored._id, _rev: stored._rev }, old)
    const write = { operation: 'update', id, content: wanted } as const
    return isUnchanged(this.#in.repository, relations, { write, edits }, {
      ...stored,
      ...old,
    } as StoredObject)
  }

  async #delete(write: ManagedWrite & { operation: 'delete' }): Promise<ObjectWriteResult> {
    const { compiled } = this.#in
    const stored = await this.#read(write.id)
    if (!stored) return { ok: false, error: failure(`${compiled.collection}/${write.id}`, 'missing') }
    await this.#run('onDelete', { object: await compiled.sealing.open(stored) }, write.id)
    return this.#store({ operation: 'delete', id: write.id, rev: write.rev }, stored)
  }

  async #read(id: string): Promise<StoredObject | undefined> {
    const { repository, compiled } = this.#in
    return (await repository.objects.read(compiled.collection, [id])).get(id)
  }

  async #scriptedFailures(object: JsonObject, id: string, only?: ReadonlySet<string>) {
    const { compiled, request } = this.#in
    const resourcePath = `${compiled.collection}/${id}`
    return (await compiled.scriptedPolicies?.check(object, { resourcePath, only, request })) ?? []
  }

  /** The scripts before the write; the object as they leave it. */
  async #shape(
    hook: 'onCreate' | 'onUpdate',
    wanted: JsonObject,
    old: JsonObject | undefined,
  ): Promise<JsonObject> {
    const id = String(wanted._id)
    const { object = wanted } = await this.#run(
      hook,
      { object: wanted, newObject: wanted, oldObject: old ?? null },
      id,
    )
    const places = placesOf(this.#in.compiled.type)
    for (const { path } of places) await this.#validateAt(path, object, id)
    await this.#validate('onValidate', { object, value: object }, id)
    let result = object
    for (const { path } of places) {
      const script = propertyScript(nameOf(path), 'onStore')
      if (!this.#in.compiled.scripts.has(script)) continue
      result = await replacedAt(result, path, async ({ pointer, value: property = null }) => {
        const propertyName = pointer.join('/')
        return (await this.#run(script, { object: result, property, propertyName }, id)).value
      })
    }
    return result
  }

  async #validateAt(path: readonly Step[], object: JsonObject, id: string): Promise<void> {
    const script = propertyScript(nameOf(path), 'onValidate')
    if (!this.#in.compiled.scripts.has(script)) return
    for (const { pointer, value = null } of spotsAt(object, path))
      await this.#validate(script, { object, value, property: pointer.join('/') }, id)
  }

  /** What a script throws that validates is the client's answer: 403 with its text. */
  async #validate(script: string, variables: JsonObject, id: string): Promise<void> {
    try {
      await this.#run(script, variables, id)
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause
      const own = cause.cause instanceof Problem ? cause.cause : cause
      throw new Problem('POLICY_FAILED', own.message, { detail: own.detail, cause })
    }
  }

  async #sealed(object: JsonObject, stored: StoredObject | undefined): Promise<JsonObject> {
    const { compiled } = this.#in
    const sealed = await compiled.sealing.seal(object, stored)
    const { object: kept = sealed } = await this.#run('onStore', { object: sealed }, String(object._id))
    const { _id, _rev, ...content } = kept
    return content
  }

  async #store(
    write: ObjectWrite,
    before: StoredObject | undefined,
    { edits, patched = false }: { readonly edits?: Edits | undefined; readonly patched?: boolean } = {},
  ): Promise<ObjectWriteResult> {
    const { repository, compiled, onChange, request } = this.#in
    const { collection, relations } = compiled
    if (relations) return this.#storeRelated(relations, { write, edits }, patched)
    const stored = await repository.transaction(async (store) => {
      const [checked] = await refuseDuplicates(store, compiled, [{ kind: 'write', write }])
      if (checked?.kind === 'refused') return { ok: false as const, error: checked.error }
      const [outcome] = await store.objects.write(collection, [write])
      if (!outcome?.ok)
        return asResult(`${collection}/${write.id}`, outcome ?? { ok: false, reason: 'missing' })
      const change = changeBy(collection, write, before, outcome.object)
      if (isActivity(request))
        await store.audit.append([activityEvent(change, compiled, request, { patched })])
      if (this.#listening) await onChange.enlist(store, [change], request)
      return { ok: true as const, object: outcome.object, change }
    })
    if (!stored.ok || !('change' in stored)) return stored
    await this.#afterWrite(stored.change)
    await follow(this.#in.position, request, (within) => this.#carryOn(stored.change, within))
    return { ok: true, object: stored.object }
  }

  /** With its relationships, and with what changes at their other ends. */
  async #storeRelated(
    relations: Relations,
    write: RelatedWrite,
    patched: boolean,
  ): Promise<ObjectWriteResult> {
    const { repository, compiled, onChange, request, position } = this.#in
    const listens = (set: string) => isHeard(onChange, set, request)
    const stored = await repository.transaction(async (store) => {
      const [checked] = await refuseDuplicates(store, compiled, [{ kind: 'write', write: write.write }])
      if (checked?.kind === 'refused') return { result: { ok: false as const, error: checked.error } }
      const page = await writeRelated(store, relations, [write], { listens, whole: true })
      const { result, change } = page.outcomes[0] as RelatedPage['outcomes'][number]
      await recordChanges(store, relations, [...(change ? [change] : []), ...page.others], {
        onChange,
        request,
        isPatch: (one) => patched && one === change,
      })
      return { result, change, page }
    })
    const { result, change, page } = stored
    if (!page) return result
    if (change) {
      await this.#afterWrite(change).catch(async (error) => {
        await repository.transaction(async (store) => {
          for (const other of page.others) await onChange.withdraw(store, other)
        })
        throw error
      })
    }
    const { others: changes, noted, due } = page
    await carryOn({ changes, noted, due }, { relations, onChange, request }, position, async (within) => {
      if (change) await this.#carryOn(change, within)
    })
    return result
  }

  /** `postCreate` and its kind; what throws there takes the write back. */
  async #afterWrite(change: ObjectChange): Promise<void> {
    const { repository, compiled, request } = this.#in
    const { operation, before, after, id } = change
    const hook = ({ create: 'postCreate', update: 'postUpdate', delete: 'postDelete' } as const)[operation]
    if (!compiled.scripts.has(hook)) return
    const opened = async (object: StoredObject | undefined) => (object ? compiled.sealing.open(object) : null)
    const [object, oldObject] = [await opened(after), await opened(before)]
    try {
      await this.#run(hook, { object, newObject: object, oldObject }, id)
    } catch (error) {
      await repository.transaction(async (store) => {
        const write = takenBack(change)
        const { relations } = compiled
        if (relations)
          await writeRelated(store, relations, [{ write }], { listens: () => false, whole: false })
        else await store.objects.write(compiled.collection, [write])
        const back = { message: `taken back: ${hook} failed` }
        if (isActivity(request))
          await store.audit.append([activityEvent(undone(change), compiled, request, back)])
        await this.#in.onChange.withdraw(store, change)
      })
      throw error
    }
  }

  async #carryOn(change: ObjectChange, request: RequestContext): Promise<void> {
    const { compiled, onChange, repository } = this.#in
    if (request.chain?.synchronizes === false || request.readOnly) return
    const notified = this.#listening
      ? ((await onChange.notify([change], request))[0] as Notified)
      : nothingToCarryOn(change)
    if (compensates(compiled.type)) {
      const takeBack = applyWithTriggers(repository, compiled, onChange)
      return compensate(change, notified, takeBack, request)
    }
    const newObject = change.after ? ((await this.#read(change.id)) ?? null) : null
    const oldObject = change.before ? await compiled.sealing.open(change.before) : null
    const variables = { oldObject, newObject, syncResults: notified as unknown as Json }
    await this.#run('onSync', variables as JsonObject, change.id, request)
  }

  async #run(script: string, variables: JsonObject, id: string, request = this.#in.request) {
    const { compiled } = this.#in
    if (!compiled.scripts.has(script)) return {}
    const { afterwards, ...chain } = request.chain ?? {}
    const about = {
      resourceName: `${compiled.collection}/${id}`,
      request: described(`${compiled.collection}/${id}`, request),
    }
    return compiled.scripts.run(script, { ...variables, ...about }, { ...request, chain })
  }
}

/** The script variable `request` (platform §7.3), as far as an object set knows it. */
function described(resourcePath: string, { parameters = {} }: RequestContext): JsonObject {
  return { resourcePath, additionalParameters: { ...parameters } }
}

function nothingToCarryOn({ operation }: ObjectChange): Notified {
  const action = ({ create: 'notifyCreate', update: 'notifyUpdate', delete: 'notifyDelete' } as const)[
    operation
  ]
  return { success: true, action, syncDetails: [] }
}

function changeBy(
  path: string,
  { operation, id }: ObjectWrite,
  before: StoredObject | undefined,
  object: StoredObject,
): ObjectChange {
  return { operation, path, id, before, after: operation === 'delete' ? undefined : object }
}
