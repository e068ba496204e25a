import { Change, Control } from 'ldapts'
import { isMemberAlready } from './active-directory/primary-group.ts'
import { descriptorControls } from './active-directory/security-descriptor.ts'
import type { Connection } from './connection.ts'
import { type ClassFacts, type Facts, permissiveModify } from './directory.ts'
import { attributeOf, folded } from './encoding.ts'
import { valuesIn } from './entries.ts'
import { resultCode } from './errors.ts'
import { moreValues } from './read.ts'
import { type State, stateOf } from './virtual.ts'
import type { VirtualValue } from './virtual-writes.ts'

/** An entry to change. */
export interface Target {
  readonly connection: Connection
  readonly facts: Facts
  readonly kind: ClassFacts
  readonly name: string
}

/** Results by which servers say that a value is there already, or not there; Samba has codes of its own for members. */
const doneAlready: ReadonlySet<number | undefined> = new Set([16, 20, 53, 68])

/** One modify. An added value that is there, and a removed one that is not, count as done. */
export async function modify(
  target: Target,
  changes: readonly Change[],
  signal?: AbortSignal,
): Promise<void> {
  const { connection, facts, name } = target
  const controls = [
    ...(facts.permissiveModify ? [new Control(permissiveModify, { critical: true })] : []),
    ...descriptorControls(changes.map(({ modification: { type } }) => type)),
  ]
  try {
    await connection.run((client) => client.modify(name, [...changes], controls), signal)
  } catch (error) {
    if (!doneAlready.has(resultCode(error))) throw error
    const open = await stillOpen(target, changes, signal)
    if (open.length === changes.length && open.every((change, place) => change === changes[place]))
      throw (await isMemberAlready(target, changes, signal)) ?? error
    if (open.length > 0) await connection.run((client) => client.modify(name, [...open], controls), signal)
  }
}

/** Without values to add that are there, and values to remove that are not. */
async function stillOpen(
  { connection, kind, name }: Target,
  changes: readonly Change[],
  signal: AbortSignal | undefined,
): Promise<readonly Change[]> {
  const types = changes.flatMap(({ operation, modification: { type } }) =>
    operation === 'replace' ? [] : [type],
  )
  const { binary } = kind.attributes
  const entry = await connection.entry(name, { attributes: types, binary }, signal)
  const present = new Map<string, (string | Buffer)[]>()
  for (const [description, given] of Object.entries(entry ?? {})) {
    const more = await moreValues(connection, { name, description, binary }, signal)
    present.set(description.replace(/;range=.*$/i, '').toLowerCase(), [...valuesIn(given), ...more])
  }
  return changes.flatMap((change) => {
    const { operation, modification } = change
    if (operation === 'replace') return [change]
    const definition = kind.names.attribute(modification.type)
    const key = (value: string | Buffer) =>
      definition?.type === 'bytes'
        ? Buffer.from(value).toString('latin1')
        : folded(value.toString(), definition)
    const there = new Set(present.get(modification.type.toLowerCase())?.map(key))
    const open = modification.values.filter((value) => there.has(key(value)) === (operation === 'delete'))
    if (open.length === modification.values.length) return [change]
    if (open.length === 0) return []
    const values = open.map((one) => Buffer.from(one))
    return [new Change({ operation, modification: attributeOf(modification.type, values) })]
  })
}

/** What virtual attributes are made of, as the entry has it now. */
export async function readState(
  { connection, kind, name }: Target,
  values: readonly VirtualValue[],
  signal?: AbortSignal,
): Promise<State> {
  if (values.length === 0) return new Map()
  const attributes = [...new Set(values.flatMap(({ attribute }) => attribute.from))]
  return stateOf(await connection.entry(name, { attributes, binary: kind.attributes.binary }, signal))
}
