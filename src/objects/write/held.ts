import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import type { ProposedUpdate, Resource } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'
import { inStoredOrder } from '../type/unordered.ts'
import type { Entry, WriteContext } from './entry.ts'
import { encrypt, runScripts } from './scripts.ts'

/** True if some values of a type are read in another form than they were written in. */
export function changesForms(compiled: CompiledType): boolean {
  return compiled.unordered.length > 0 || rewrites(compiled)
}

function rewrites({ encryption, onStore, scripts, retrieval }: CompiledType): boolean {
  const isScripted = onStore.length > 0 || retrieval?.reads === true || writingHooks.some(scripts.has)
  return encryption.encrypts || isScripted
}

const writingHooks = ['onUpdate', 'onStore']

/**
 * The content of an update as it would be read back: the stages of the write that give values another form (scripts, encryption)
 * and those of reading foresee it, without writing. Values that would be read as they are now have that form.
 */
export async function heldContent(
  context: WriteContext,
  { content, existing }: ProposedUpdate,
): Promise<JsonObject> {
  const ordered = inStoredOrder(content, existing, context.compiled.unordered)
  const foreseen = rewrites(context.compiled) ? await foresee(context, ordered, existing) : undefined
  return foreseen ? asStored(ordered, existing, foreseen) : ordered
}

/** Undefined where the write would fail: that is for the write to say. */
async function foresee(
  context: WriteContext,
  content: JsonObject,
  existing: Resource,
): Promise<JsonObject | undefined> {
  const { compiled, request } = context
  const { encryption, retrieval } = compiled
  try {
    const old = await encryption.decrypt(existing)
    const { _id, _rev, ...clear } = inStoredOrder(await encryption.decrypt(content), old, compiled.unordered)
    const { _id: id, _rev: rev = '' } = existing
    const stored = { ...existing, _id: id, _rev: rev }
    const write = { operation: 'update', id, content: clear } as const
    const entry = await encrypt(context, await runScripts(context, { write, stored, old }))
    const after = contentOf(entry)
    if (!after || !retrieval?.reads) return after
    const [read] = await retrieval.page([{ ...after, _id: id }], request)
    return read?.ok ? read.value : undefined
  } catch {
    return undefined
  }
}

function contentOf(entry: Entry): JsonObject | undefined {
  if ('ok' in entry) return entry.ok ? entry.object : undefined
  return entry.write.operation === 'delete' ? undefined : entry.write.content
}

function asStored(content: JsonObject, existing: JsonObject, foreseen: JsonObject): JsonObject {
  const result = { ...content }
  for (const name of new Set([...Object.keys(content), ...Object.keys(existing)])) {
    const [wanted, before, after] = [content, existing, foreseen].map((one) => member(one, name))
    if (name === '_id' || name === '_rev' || equal(wanted, before)) continue
    const held = heldValue(wanted, before, after)
    if (held === undefined) delete result[name]
    else setMember(result, name, held)
  }
  return result
}

function heldValue(
  wanted: Json | undefined,
  before: Json | undefined,
  after: Json | undefined,
): Json | undefined {
  if (equal(before ?? null, after ?? null)) return before
  return isJsonObject(wanted) && isJsonObject(before) && isJsonObject(after)
    ? asStored(wanted, before, after)
    : wanted
}
