import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Edit } from '../live/reconfiguration.ts'
import type { ConfigurationDocument } from '../project.ts'

/**
 * `config/mapping/{name}` of a mapping that has no file of its own: it stands in `sync.json`, and is read and changed there like
 * one that has.
 */
export function containedMapping(
  documents: readonly Pick<ConfigurationDocument, 'id' | 'raw'>[],
  id: string,
): { readonly name: string; readonly raw: JsonObject } | undefined {
  const [kind, name] = id.split('/')
  if (kind !== 'mapping' || name === undefined || documents.some((one) => one.id === id)) return undefined
  const sync = documents.find((one) => one.id === 'sync')?.raw
  const raw = mappingsIn(sync).find((one) => one.name === name)
  return raw && { name, raw }
}

/** The edit of a mapping as one of `sync.json`: its place in the order stays, and so does its name. */
export function inSync(name: string, edit: Edit): Edit {
  return async (sync) => {
    const mappings = mappingsIn(sync)
    const index = mappings.findIndex((one) => one.name === name)
    const changed = await edit(mappings[index])
    if (typeof changed === 'string') throw new Problem('BAD_REQUEST', 'a mapping of sync.json is an object')
    if (changed === undefined) return { ...sync, mappings: mappings.toSpliced(index, 1) }
    const { _id, _rev, _warnings, ...content } = changed
    if (content.name !== undefined && content.name !== name)
      throw new Problem('BAD_REQUEST', `the mapping ${name} is named by its path; rename it in config/sync`)
    return { ...sync, mappings: mappings.with(index, { name, ...content }) }
  }
}

/** Contents by their ids, those of mappings in `sync.json` within it. */
export async function withContained(
  contents: Readonly<Record<string, JsonObject | undefined>>,
  documents: readonly Pick<ConfigurationDocument, 'id' | 'raw'>[],
): Promise<Readonly<Record<string, JsonObject | undefined>>> {
  let { sync = documents.find(({ id }) => id === 'sync')?.raw, ...others } = contents
  let contained = false
  for (const [id, content] of Object.entries(others)) {
    const mapping = containedMapping(documents, id)
    if (!mapping) continue
    const changed = await inSync(mapping.name, () => content)(sync)
    if (isJsonObject(changed)) sync = changed
    const { [id]: _moved, ...rest } = others
    others = rest
    contained = true
  }
  return contained || Object.hasOwn(contents, 'sync') ? { ...others, sync } : others
}

function mappingsIn(sync: JsonObject | undefined): JsonObject[] {
  return Array.isArray(sync?.mappings) ? sync.mappings.filter(isJsonObject) : []
}
