import type { Group, Rare, SameChange } from './digest.ts'

/** So many times as many do the usual. */
const usual = 20
const most = 5

/** What only few entries do, where many do the usual. */
export function outliers(groups: readonly Group[], writes: number): readonly Rare[] {
  const isRare = (count: number, of: number) => count <= most && count * usual <= of
  return groups.flatMap((group) => {
    const { situation, action, count, who, attributes } = group
    if (isRare(count, writes)) return [{ situation, action, count, of: writes, who }]
    return attributes.flatMap((changes): Rare[] => {
      const { attribute, kind } = changes
      const rare = (one: Pick<SameChange, 'count' | 'who' | 'before' | 'after'>, of: number): Rare => ({
        ...{ situation, action, count: one.count, of, who: one.who },
        change: { attribute, kind, ...values(one) },
      })
      if (isRare(changes.count, count)) {
        const [only] = changes.different === 1 ? changes.same : []
        return [rare({ ...only, count: changes.count, who: changes.who }, count)]
      }
      const [first] = changes.same
      // Where everybody has a value of their own, none of them is remarkable.
      const isUsual = first !== undefined && first.count * 2 >= changes.count
      return isUsual && !changes.more && changes.different <= usual
        ? changes.same
            .filter((one) => isRare(one.count, changes.count))
            .map((one) => rare(one, changes.count))
        : []
    })
  })
}

function values({ before, after }: Pick<SameChange, 'before' | 'after'>) {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
}
