import type { ObjectSet } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'
import { propertiesOf } from '../type/type.ts'
import { engine } from './pages.ts'
import type { Retrieval } from './retrieval.ts'

/** The values of a change as reading would have given them. */
export function asRead({ type }: CompiledType, retrieval: Retrieval): NonNullable<ObjectSet['asRead']> {
  const virtual = propertiesOf(type.schema).flatMap(([name, { isVirtual }]) => (isVirtual ? [name] : []))
  return async (objects, when) => {
    const outcomes = await retrieval.page(objects, engine)
    return objects.map((object, place) => {
      const outcome = outcomes[place]
      if (!outcome?.ok) return object
      const kept = when === 'before' ? virtual.filter((name) => object[name] !== undefined) : []
      const known = Object.fromEntries([...kept, '_rev'].map((name) => [name, object[name]]))
      return { ...outcome.value, ...known, _id: object._id }
    })
  }
}
