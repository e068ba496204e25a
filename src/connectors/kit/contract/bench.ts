import { ok } from 'node:assert/strict'
import { everything, type Filter } from '../../../model/filter/filter.ts'
import { requireReadable } from '../../../model/unreadable.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../changes.ts'
import { type Capabilities, type Connector, offers } from '../connector.ts'
import { kindOfError } from '../errors.ts'
import type { ConnectorObject, ObjectPage, PageQuery } from '../query.ts'
import type { NativeAttribute } from '../schema.ts'
import { type Attributes, sameValue, type Value } from '../values.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, settingOf } from '../write.ts'

/** What a connector's author declares about the system under test. */
export interface ContractFacts {
  readonly name: string
  readonly objectClass: string
  /** A connector to an empty system. */
  open(): Promise<OpenSystem>
  /** Attributes of the n-th account; different n, different accounts. */
  account(n: number): Attributes
  /** A single-valued text attribute that may be changed and cleared, and does not affect the id. */
  readonly attribute: string
  /** An attribute that must be unique. */
  readonly unique: string
  /** An attribute that the system does not have. */
  readonly unknown: string
  /** An attribute with several texts, if one exists. */
  readonly multivalued?: string
  /** Attributes of an account that are written and never read, such as passwords. */
  readonly writeOnly?: readonly string[]
  /** An attribute that holds bytes, if one exists. */
  readonly bytes?: string
  /** The changes that rename the n-th account, if accounts can be renamed. */
  rename?(n: number): Attributes
  /** How to log in as the n-th account, if accounts can. */
  credentials?(n: number): { readonly username: string; readonly password: string }
}

export interface OpenSystem {
  readonly connector: Connector
  /** Another connector to the same system, as after a restart. */
  reopen?(): Promise<Connector>
  /** Damages the account of this id so that it cannot be read any more, where the system can be damaged. */
  damage?(id: string): Promise<void>
  close(): PromiseLike<void>
}

/** The connector lacks a capability, or the facts lack an attribute: the case does not apply. */
export class NotOffered extends Error {}

/** A connector to an empty system, and the helpers that many cases share. */
export class Bench implements AsyncDisposable {
  readonly facts: ContractFacts
  readonly connector: Connector
  readonly #system: OpenSystem
  readonly #reopened: Connector[] = []
  /** What was there when changes were last looked at. */
  #known: readonly string[] = []

  static async open(facts: ContractFacts): Promise<Bench> {
    return new Bench(facts, await facts.open())
  }

  private constructor(facts: ContractFacts, system: OpenSystem) {
    this.facts = facts
    this.#system = system
    this.connector = system.connector
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connector of [this.connector, ...this.#reopened]) await connector[Symbol.asyncDispose]()
    await this.#system.close()
  }

  need<K extends keyof Capabilities>(
    capability: K,
    connector = this.connector,
  ): Connector & Pick<Capabilities, K> {
    if (!offers(connector, capability)) throw new NotOffered(capability)
    return connector
  }

  /** An optional fact. */
  given<T>(fact: T | undefined): T {
    if (fact === undefined) throw new NotOffered()
    return fact
  }

  async damage(id: string): Promise<void> {
    await this.given(this.#system.damage).call(this.#system, id)
  }

  async reopen(): Promise<Connector> {
    const connector = await this.given(this.#system.reopen).call(this.#system)
    this.#reopened.push(connector)
    return connector
  }

  async search(
    filter: Filter = everything,
    { fields, pageSize = 3 }: { readonly fields?: readonly string[]; readonly pageSize?: number } = {},
  ): Promise<readonly ConnectorObject[]> {
    const { objectClass } = this.facts
    const query = { objectClass, filter, pageSize, ...(fields && { fields }) }
    const found: ConnectorObject[] = []
    for await (const page of this.need('search').search(query)) {
      ok(page.length > 0, 'a page of a search is empty')
      ok(page.length <= pageSize, `a page has ${page.length} objects; ${pageSize} were asked for`)
      found.push(...page.map((entry) => requireReadable(entry)))
    }
    return found
  }

  async ids(): Promise<readonly string[]> {
    return idsOf(await this.search()).toSorted()
  }

  async attributes(): Promise<readonly NativeAttribute[]> {
    return (await this.need('schema').schema())[this.facts.objectClass]?.attributes ?? []
  }

  async page(
    query: Partial<PageQuery>,
  ): Promise<ObjectPage & { readonly objects: readonly ConnectorObject[] }> {
    const defaults = { filter: everything, pageSize: 3, sortKeys: [], offset: 0, total: false }
    const page = await this.need('page').page({ objectClass: this.facts.objectClass, ...defaults, ...query })
    return { ...page, objects: page.objects.map((entry) => requireReadable(entry)) }
  }

  async write(...writes: readonly ConnectorWrite[]): Promise<readonly ConnectorWriteOutcome[]> {
    const outcomes = await this.need('writeMany').writeMany(this.facts.objectClass, writes)
    ok(outcomes.length === writes.length, `${writes.length} writes have ${outcomes.length} outcomes`)
    return outcomes
  }

  /** What is read of the n-th account. */
  expected(n: number): Attributes {
    const { writeOnly = [] } = this.facts
    const readable = Object.entries(this.facts.account(n)).filter(([name]) => !writeOnly.includes(name))
    return Object.fromEntries(readable)
  }

  /** Their ids. */
  async create(...numbers: readonly number[]): Promise<readonly string[]> {
    return (await this.write(...numbers.map((n) => creating(this.facts.account(n))))).map(idOf)
  }

  /** The id after the update. */
  async update(id: string, attributes: Attributes): Promise<string> {
    return idOf((await this.write(updating(id, attributes)))[0])
  }

  async createOne(n: number): Promise<string> {
    const [id] = await this.create(n)
    return this.given(id)
  }

  async read(...ids: readonly string[]): Promise<ReadonlyMap<string, ConnectorObject>> {
    const read = await this.need('readMany').readMany(this.facts.objectClass, ids)
    return new Map(Array.from(read, ([id, entry]) => [id, requireReadable(entry)]))
  }

  async readOne(id: string): Promise<ConnectorObject> {
    const object = (await this.read(id)).get(id)
    ok(object, `there is no object "${id}"`)
    return object
  }

  async changes(token: SyncToken | null, connector = this.connector): Promise<readonly ChangesPage[]> {
    const changes = this.need('changesSince', connector)
    const pages = await Array.fromAsync(changes.changesSince(this.facts.objectClass, token))
    const deletions = token === null ? [] : deletionsIn(pages, this.#known)
    await this.#look()
    return deletions.length > 0 ? [{ changes: deletions, token }, ...pages] : pages
  }

  async #look(): Promise<void> {
    if (offers(this.connector, 'search')) this.#known = await this.ids()
  }

  /** The changes of all pages. */
  async changed(token: SyncToken | null, connector?: Connector): Promise<readonly ConnectorChange[]> {
    return (await this.changes(token, connector)).flatMap(({ changes }) => changes)
  }

  async latestToken(): Promise<SyncToken> {
    const token = await this.need('latestToken').latestToken(this.facts.objectClass)
    await this.#look()
    return token
  }
}

/** Where a system lists what is left: those that were known and are not among them. */
function deletionsIn(pages: readonly ChangesPage[], known: readonly string[]): readonly ConnectorChange[] {
  if (pages.every(({ present }) => present === undefined)) return []
  const left = new Set(pages.flatMap(({ present = [] }) => present))
  return known.filter((id) => !left.has(id)).map((id) => ({ kind: 'DELETE', id }))
}

export function idsOf(objects: readonly ConnectorObject[]): readonly string[] {
  return objects.map(({ _id }) => _id)
}

export function creating(attributes: Attributes): ConnectorWrite {
  return { operation: 'create', attributes }
}

export function updating(id: string, attributes: Attributes): ConnectorWrite {
  return { operation: 'update', id, changes: settingOf(attributes) }
}

export function deleting(id: string): ConnectorWrite {
  return { operation: 'delete', id }
}

export function idOf(outcome: ConnectorWriteOutcome | undefined): string {
  if (outcome?.ok) return outcome.id
  throw outcome?.error ?? new Error('there is no outcome for the write')
}

/** `ok`, or the kind of the error. */
export function verdictOf(outcome: ConnectorWriteOutcome): string {
  return outcome.ok ? 'ok' : (kindOfError(outcome.error) ?? outcome.error.message)
}

/** Every one of these attributes, with the same value. */
export function requireAttributes(object: ConnectorObject | undefined, attributes: Attributes): void {
  ok(object, 'the object is not there')
  for (const [name, value] of Object.entries(attributes)) requireValue(object, name, value)
}

export function requireValue(object: ConnectorObject, name: string, value: Value | undefined): void {
  const found = Object.hasOwn(object, name) ? object[name] : undefined
  ok(sameValue(found, value), `${name} of "${object._id}" is ${show(found)}; it should be ${show(value)}`)
}

export function requireSame(found: readonly string[], expected: readonly string[], what: string): void {
  const [a, b] = [found, expected].map((ids) => ids.toSorted().join(', '))
  ok(a === b, `${what}: ${a || 'none'}; expected: ${b || 'none'}`)
}

export function requireEqual(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [found, expected].map((value) => JSON.stringify(value))
  ok(a === b, `${what}: ${a}; expected: ${b}`)
}

/** The error of work that fails; undefined if it succeeds. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error ?? new Error('nothing'),
  )
}

/** Requires a failure with an error of this kind. */
export async function requireFailure(work: Promise<unknown>, kind: string, what: string): Promise<void> {
  const failure = await failureOf(work)
  ok(failure !== undefined, `${what} should fail, and succeeds`)
  ok(kindOfError(failure) === kind, `${what} fails as ${kindOfError(failure)}, not as ${kind}: ${failure}`)
}

/** Requires a rejection with the reason of the signal. */
export async function requireAbort(
  start: (signal: AbortSignal) => Promise<unknown>,
  what: string,
): Promise<void> {
  const reason = new Error('enough')
  const failure = await failureOf(start(AbortSignal.abort(reason)))
  ok(failure === reason, `${what} with an aborted signal ends with ${failure}; expected: the signal's reason`)
}

function show(value: Value | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}

/** Rules for every connector: the name of each, and the check that proves it. */
export type Laws = Readonly<Record<string, (bench: Bench) => Promise<unknown>>>
