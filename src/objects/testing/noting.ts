import type { Repository, Store } from '../../repository/repository.ts'

/** The real repository, with a note of each call to `objects` and `relationships`: `read managed/user`. */
export function noting(real: Repository, calls: string[]): Repository {
  const noted = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: readonly unknown[]) => {
          calls.push(`${String(name)} ${String(args[0])}`)
          return Reflect.apply(member, target, args)
        }
      },
    })
  const inside = <S extends Store>(store: S): S => ({
    ...store,
    objects: noted(store.objects),
    relationships: noted(store.relationships),
  })
  return {
    ...inside(real),
    transaction(work) {
      const before = calls.length
      return real.transaction((store) => {
        // An earlier call of the work does not count.
        calls.length = before
        return work(inside(store))
      })
    },
  }
}
