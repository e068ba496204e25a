import { compileFilter } from '../../../model/filter/evaluate.ts'
import { comparisonOperators, type Filter } from '../../../model/filter/filter.ts'
import { mapLeaves } from '../../../model/filter/walk.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import type { ConnectorObject } from '../query.ts'
import { type Bench, idsOf, type Laws, requireSame } from './bench.ts'
import { hostileTexts } from './hostile.ts'

/** The native part and the rest of a filter together give the same objects as the filter. */
export const filters: Laws = {
  ...Object.fromEntries(
    comparisonOperators.map((operator) => [
      `finds what \`${operator}\` says`,
      (bench: Bench) => agrees(bench, operator),
    ]),
  ),
  async 'finds what `pr`, `and`, `or` and `not` say'(bench) {
    await cleared(bench)
    const present: Filter = { kind: 'present', pointer: [bench.facts.attribute] }
    const one = compare(bench.facts.unique, 'eq', textOf(bench, 2, bench.facts.unique))
    const other = compare(bench.facts.unique, 'eq', textOf(bench, 3, bench.facts.unique))
    const all: readonly Filter[] = [
      present,
      one,
      { kind: 'and', filters: [present, one] },
      { kind: 'or', filters: [one, other] },
      { kind: 'not', filter: one },
      { kind: 'not', filter: present },
      {
        kind: 'and',
        filters: [
          { kind: 'or', filters: [one, other] },
          { kind: 'not', filter: other },
        ],
      },
      { kind: 'literal', value: false },
    ]
    const requireAnswer = await answersOf(bench)
    for (const filter of all) await requireAnswer(filter)
  },
  async 'orders date-times with a zone by the instants that they name'(bench) {
    const { attribute } = bench.facts
    const ids = await bench.create(1, 2, 3)
    const times = ['2026-03-01T09:59:00Z', '2026-03-01T05:00:00-05:00', '2026-03-01T12:01:00+02:00']
    for (const [place, id] of ids.entries()) await bench.update(id, { [attribute]: times[place] ?? null })
    const requireAnswer = await answersOf(bench)
    for (const operator of ['lt', 'le', 'gt', 'ge'] as const)
      for (const time of [...times, '2026-03-01T10:00:00Z', '2026-03-01'])
        await requireAnswer(compare(attribute, operator, time))
  },
  async 'takes the value of a filter as it is, with any characters'(bench) {
    const { attribute } = bench.facts
    const [id = ''] = await bench.create(1, 2)
    const requireAnswer = await answersOf(bench)
    for (const text of hostileTexts) {
      await bench.update(id, { [attribute]: text })
      for (const operator of ['eq', 'sw', 'co'] as const)
        await requireAnswer(compare(attribute, operator, text))
    }
    for (const text of ['*', '%', '_', "' or '1'='1", '*)(uid=*', '\\'])
      await requireAnswer(compare(attribute, 'eq', text))
  },
}

async function agrees(bench: Bench, operator: (typeof comparisonOperators)[number]): Promise<void> {
  await cleared(bench)
  const requireAnswer = await answersOf(bench)
  for (const name of [bench.facts.attribute, bench.facts.unique]) {
    const text = textOf(bench, 3, name)
    const upper = text.toUpperCase()
    const values: readonly Json[] =
      operator === 'in' || operator === 'ca'
        ? [[text], [text, textOf(bench, 1, name)], ['nothing like it']]
        : [text, upper, text.slice(0, 3), text.slice(1), text.slice(1, -1), 'nothing like it']
    for (const value of values) await requireAnswer(compare(name, operator, value))
  }
}

/** Four accounts, the second of them without the attribute. */
async function cleared(bench: Bench): Promise<void> {
  bench.need('split')
  const [, id = ''] = await bench.create(1, 2, 3, 4)
  await bench.update(id, { [bench.facts.attribute]: null })
}

function compare(name: string, operator: (typeof comparisonOperators)[number], value: Json): Filter {
  return { kind: 'compare', operator, pointer: [name], value }
}

function textOf(bench: Bench, n: number, name: string): string {
  return String(bench.facts.account(n)[name])
}

/** Requires that the native part and the rest find what the whole filter finds in all objects. */
async function answersOf(bench: Bench): Promise<(filter: Filter) => Promise<void>> {
  const { attribute, objectClass, unique } = bench.facts
  const known = new Map((await bench.attributes()).map(({ name, comparison }) => [name, comparison]))
  const matching = matcherOf((name) => known.get(name) === 'ignoreCase')
  return async (filter) => {
    const { native, rest } = bench.need('split').split(objectClass, filter)
    // Where only the system knows the comparison, no expected result exists.
    if ([attribute, unique].some((name) => (known.get(name) ?? 'unknown') === 'unknown')) return
    const all = await bench.search()
    const found = (await bench.search(native)).filter(matching(rest))
    requireSame(idsOf(found), idsOf(all.filter(matching(filter))), `found for ${JSON.stringify(filter)}`)
  }
}

/** Evaluates with the attributes' comparison: ignoring case folds both sides. */
function matcherOf(
  ignoresCase: (name: string) => boolean,
): (filter: Filter) => (object: ConnectorObject) => boolean {
  const folded = (name: string, value: Json): Json =>
    typeof value === 'string' && ignoresCase(name) ? value.toLowerCase() : value
  return (filter) => {
    const matches = compileFilter(
      mapLeaves(filter, (leaf) => {
        if (leaf.kind === 'present') return leaf
        const fold = (value: Json) => folded(leaf.pointer[0] ?? '', value)
        return { ...leaf, value: Array.isArray(leaf.value) ? leaf.value.map(fold) : fold(leaf.value) }
      }),
    )
    return (object) => {
      const texts: JsonObject = {}
      for (const [name, value] of Object.entries(object))
        if (typeof value === 'string') texts[name] = folded(name, value)
      return matches(texts)
    }
  }
}
