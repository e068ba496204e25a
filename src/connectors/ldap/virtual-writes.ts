import { type Attribute, Change } from 'ldapts'
import { sameValue, type Value } from '../kit/values.ts'
import type { AttributeChange } from '../kit/write.ts'
import type { ClassAttributes } from './attributes.ts'
import { attributeOf } from './encoding.ts'
import { refused, type State, stateAfter, type VirtualAttribute, type Written } from './virtual.ts'

/** A value for a virtual attribute; null clears. */
export interface VirtualValue {
  readonly attribute: VirtualAttribute
  readonly value: Value
}

/** The first value of each. */
export function stateOfAttributes(attributes: readonly Attribute[]): State {
  return new Map(
    attributes.flatMap(({ type, values: [first] }) =>
      first === undefined ? [] : [[type.toLowerCase(), first] as const],
    ),
  )
}

/** Adds to a new entry what virtual attributes are made of, and replaces what there is of it. */
export function addVirtual(
  attributes: readonly Attribute[],
  values: readonly VirtualValue[],
): readonly Attribute[] {
  let state = stateOfAttributes(attributes)
  const result = new Map(attributes.map((one) => [one.type.toLowerCase(), one]))
  for (const one of values) {
    if (sameValue(one.attribute.read(state), one.value)) continue
    const written = writtenBy(one, state)
    state = stateAfter(state, written)
    for (const [name, value] of Object.entries(written))
      if (value === undefined) result.delete(name.toLowerCase())
      else result.set(name.toLowerCase(), attributeOf(name, [Buffer.from(value)]))
  }
  return [...result.values()]
}

/** Changes of virtual attributes as changes of what they are made of. */
export function realChanges(values: readonly VirtualValue[], before: State): readonly Change[] {
  let after = before
  const names = new Map<string, string>()
  const shared = new Set<string>()
  for (const one of values) {
    const written = writtenBy(one, after)
    after = stateAfter(after, written)
    for (const name of Object.keys(written)) {
      names.set(name.toLowerCase(), name)
      if (one.attribute.sharesItsAttribute) shared.add(name.toLowerCase())
    }
  }
  return [...names].flatMap(([key, name]) => {
    const [old, now] = [before.get(key), after.get(key)]
    if (!shared.has(key)) return [change('replace', name, now)]
    if (old?.toString() === now?.toString()) return []
    return [...(old === undefined ? [] : [change('delete', name, old)]), change('add', name, now)]
  })
}

function writtenBy({ attribute, value }: VirtualValue, state: State): Written {
  if (!attribute.write) throw refused(attribute.name, 'can be read only')
  return attribute.write(value, state)
}

function change(
  operation: 'add' | 'delete' | 'replace',
  name: string,
  value: string | Buffer | undefined,
): Change {
  const values = value === undefined ? [] : [Buffer.from(value)]
  return new Change({ operation, modification: attributeOf(name, values) })
}

/** Empty: the change is one of an attribute that the entry has. */
export function virtualValue(change: AttributeChange, { byName }: ClassAttributes): readonly VirtualValue[] {
  const attribute = byName.get(change.attribute.toLowerCase())?.virtual
  if (!attribute) return []
  if (change.kind === 'delta') throw refused(attribute.name, 'has one value, and no list of them')
  return [{ attribute, value: change.kind === 'set' ? change.value : null }]
}

export function sameState(one: State, other: State): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, value]) => other.get(name)?.toString() === value.toString())
  )
}
