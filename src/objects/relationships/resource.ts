import { everything, type Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { applyPatch, type PatchOperation } from '../../model/patch.ts'
import { Problem } from '../../model/problem.ts'
import { parseReference, type Target } from '../../model/reference.ts'
import { splitPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { StoreQuery } from '../../repository/query.ts'
import type { RequestContext, Resource, ResourcePage, ResourceQuery } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import type { Asked, ObjectAt, SetServices } from '../managed-set.ts'
import { refusePrivateQuestionsBehind } from '../read/private-questions.ts'
import type { RelationshipProperty } from './model.ts'
import { expanded } from './present.ts'
import { type Edit, wantedReference } from './wanted.ts'

/**
 * `managed/{type}/{id}/{relationship}[/{relationshipId}]` (platform §2): the relationships of one property of one object as
 * resources of their own, `_id` and `_rev` those of the relationship. Changing one changes the object that it belongs to.
 * Undefined for paths of sets and objects, and for what is no relationship.
 */
export function relationshipAt(services: SetServices, path: string): RelationshipAt | undefined {
  const [type = '', id, name, relationshipId, ...others] = splitPath(path)
  const set = services.sets.get(`managed/${type}`)
  const property = name === undefined ? undefined : set?.compiled.relations?.type.properties.get(name)
  if (!set || id === undefined || !property || others.length > 0) return undefined
  return new RelationshipAt({ services, set, id, property, relationshipId })
}

interface Place extends ObjectAt {
  readonly services: SetServices
  readonly property: RelationshipProperty
  /** Undefined: all of the property. */
  readonly relationshipId: string | undefined
}

class RelationshipAt {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  async read(request: Asked): Promise<Resource> {
    const required = await this.#required()
    return (await this.#presented([required], request))[0] ?? required
  }

  async query(query: ResourceQuery, request: RequestContext): Promise<ResourcePage> {
    const { services, property, relationshipId } = this.#place
    if (relationshipId !== undefined)
      throw new Problem('NOT_IMPLEMENTED', `${this.#path} is a relationship, not a set`)
    // Scripts that follow the deletion of an object still ask for its relationships: it has none (engine §4.2, [D]).
    if (request.external) {
      await this.#owner()
      refusePrivateQuestionsBehind(services.sets, this.#path, property, query)
    }
    const page = await this.#stored(storeQuery(query))
    const result = await this.#presented(page.result, { ...request, fields: query.fields })
    return storePage({ ...page, result }, (reference) => reference)
  }

  async create(id: string | undefined, content: JsonObject, request: RequestContext): Promise<Resource> {
    const { property, relationshipId } = this.#place
    if (relationshipId !== undefined) throw new Problem('NOT_FOUND', `There is no resource ${this.#path}`)
    const wanted = { ...wantedReference(property, content), id }
    if (id !== undefined && (await this.#find(id)))
      throw new Problem('PRECONDITION_FAILED', `${this.#path}/${id} exists already`)
    const before = new Set((await this.#matching(wanted.target)).map(({ _id }) => _id))
    const edit: Edit = property.many
      ? { kind: 'add', reference: wanted }
      : { kind: 'set', references: [wanted] }
    await this.#change([edit], request)
    const after = await this.#matching(wanted.target)
    const created = after.find(({ _id }) => !before.has(_id)) ?? after[0]
    if (!created) throw new Problem('CONFLICT', `${this.#path}: the relationship has been removed meanwhile`)
    return created
  }

  /** Where there is none yet: PRECONDITION_FAILED if there is. */
  async put(content: JsonObject, request: RequestContext): Promise<Resource> {
    if (this.#place.property.many)
      throw new Problem('NOT_IMPLEMENTED', `${this.#path} is a set: create its relationships with POST`)
    if (await this.#find()) throw new Problem('PRECONDITION_FAILED', `${this.#path} exists already`)
    return this.create(undefined, content, request)
  }

  async update(rev: string | undefined, content: JsonObject, request: RequestContext): Promise<Resource> {
    const { property, relationshipId } = this.#place
    const stored = await this.#find()
    if (!stored) {
      // The one relationship of a property is put in its place whether there was one before or not.
      if (property.many || relationshipId !== undefined || rev !== undefined) throw this.#missing()
      return this.create(undefined, content, request)
    }
    requireRevision(stored, rev, this.#path)
    return this.#replace(stored, { _ref: stored._ref, ...content }, request)
  }

  async patch(
    rev: string | undefined,
    operations: readonly PatchOperation[],
    request: RequestContext,
  ): Promise<Resource> {
    const stored = await this.#required()
    requireRevision(stored, rev, this.#path)
    return this.#replace(stored, applyPatch(stored, operations), request)
  }

  async delete(rev: string | undefined, request: RequestContext): Promise<Resource> {
    const stored = await this.#required()
    requireRevision(stored, rev, this.#path)
    await this.#change([{ kind: 'remove', reference: { target: targetOf(stored), id: stored._id } }], request)
    return stored
  }

  async #replace(stored: StoredObject, content: JsonObject, request: RequestContext): Promise<Resource> {
    const reference = wantedReference(this.#place.property, content)
    const from = { target: targetOf(stored), id: stored._id }
    await this.#change([{ kind: 'replace', from, reference }], request)
    return (await this.#find(stored._id)) ?? stored
  }

  /** As an update of the object that changes nothing else. */
  async #change(edits: readonly Edit[], request: RequestContext): Promise<void> {
    const { set, id, property } = this.#place
    const owner = await this.#owner()
    const patched = new Set([property.name])
    const write = { operation: 'update', id, known: owner, content: { ...owner }, patched } as const
    await set.applyOne({ ...write, edits: new Map([[property.name, edits]]) }, request)
  }

  #owner(): Promise<StoredObject> {
    return this.#place.set.required(this.#place.id)
  }

  async #required(): Promise<StoredObject> {
    const { property, relationshipId } = this.#place
    await this.#owner()
    if (property.many && relationshipId === undefined)
      throw new Problem(
        'BAD_REQUEST',
        `${this.#path} is a set: query it with _queryFilter, or name a relationship`,
      )
    const found = await this.#find()
    if (!found) throw this.#missing()
    return found
  }

  async #find(id = this.#place.relationshipId): Promise<StoredObject | undefined> {
    const filter = id === undefined ? everything : is('_id', id)
    return (await this.#stored({ filter, pageSize: 1 })).result[0]
  }

  async #matching(target: Target): Promise<readonly StoredObject[]> {
    const filters = [is('_refResourceId', target.id), is('_refResourceCollection', target.collection)]
    return (await this.#stored({ filter: { kind: 'and', filters } })).result
  }

  #stored(query: StoreQuery) {
    const { set, id, property } = this.#place
    const { collection, name, collections } = property
    return set.store.relationships.query({ collection, id, property: name, others: collections }, query)
  }

  get #path(): string {
    const { set, id, property, relationshipId } = this.#place
    return [set.path, id, property.name, relationshipId ?? []].flat().join('/')
  }

  #missing(): Problem {
    return new Problem('NOT_FOUND', `${this.#path} does not exist`)
  }

  /** Whatever is not a member of the reference itself is one of the object that it refers to. */
  async #presented(references: readonly StoredObject[], { fields = [], ...request }: Asked) {
    const ofTarget = fields.filter(([name = '']) => !/^(?:_id|_rev|_ref.*|\*_ref)$/.test(name))
    return ofTarget.length > 0 ? expanded(this.#place.services, references, ofTarget, request) : references
  }
}

function is(name: string, value: string): Filter {
  return { kind: 'compare', operator: 'eq', pointer: [name], value }
}

function targetOf({ _ref, _refResourceCollection, _refResourceId }: StoredObject): Target {
  const members = { collection: String(_refResourceCollection), id: String(_refResourceId) }
  return parseReference(String(_ref)) ?? members
}

function requireRevision({ _rev }: StoredObject, rev: string | undefined, path: string): void {
  if (rev !== undefined && rev !== _rev)
    throw new Problem('PRECONDITION_FAILED', `${path} has changed since the revision given`)
}
