import { compileFilter } from '../../../model/filter/evaluate.ts'
import { comparisonOperators, type Filter } from '../../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../../model/json.ts'
import type { ConnectorObject } from '../query.ts'
import type { Comparison } from '../schema.ts'
import { settingOf } from '../write.ts'
import { type Bench, type Law, requireSame } from './bench.ts'
import { hostileTexts } from './hostile.ts'

/** The native part and the rest of a filter together give the same objects as the filter. */
export const filters: readonly Law[] = [
  ...comparisonOperators.map(
    (operator): Law => [`finds what \`${operator}\` says`, (bench) => agrees(bench, operator)],
  ),
  [
    'finds what `pr`, `and`, `or` and `not` say',
    async (bench) => {
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
      for (const filter of all) await requireAnswer(bench, filter, await comparisons(bench))
    },
  ],
  [
    'takes the value of a filter as it is, with any characters',
    async (bench) => {
      const { attribute } = bench.facts
      const ids = await bench.create(1, 2)
      const id = bench.given(ids[0])
      for (const text of hostileTexts) {
        await bench.write({ operation: 'update', id, changes: settingOf({ [attribute]: text }) })
        for (const operator of ['eq', 'sw', 'co'] as const)
          await requireAnswer(bench, compare(attribute, operator, text), await comparisons(bench))
      }
      for (const text of ['*', '%', '_', "' or '1'='1", '*)(uid=*', '\\'])
        await requireAnswer(bench, compare(attribute, 'eq', text), await comparisons(bench))
    },
  ],
]

async function agrees(bench: Bench, operator: (typeof comparisonOperators)[number]): Promise<void> {
  await cleared(bench)
  const known = await comparisons(bench)
  for (const name of [bench.facts.attribute, bench.facts.unique]) {
    const text = textOf(bench, 3, name)
    const upper = text.toUpperCase()
    const values: readonly Json[] =
      operator === 'in' || operator === 'ca'
        ? [[text], [text, textOf(bench, 1, name)], ['nothing like it']]
        : [text, upper, text.slice(0, 3), text.slice(1), text.slice(1, -1), 'nothing like it']
    for (const value of values) await requireAnswer(bench, compare(name, operator, value), known)
  }
}

/** Four accounts, the second of them without the attribute. */
async function cleared(bench: Bench): Promise<void> {
  bench.need('split')
  const ids = await bench.create(1, 2, 3, 4)
  const id = bench.given(ids[1])
  await bench.write({
    operation: 'update',
    id,
    changes: [{ attribute: bench.facts.attribute, kind: 'clear' }],
  })
}

function compare(name: string, operator: (typeof comparisonOperators)[number], value: Json): Filter {
  return { kind: 'compare', operator, pointer: [name], value }
}

function textOf(bench: Bench, n: number, name: string): string {
  return String(bench.facts.account(n)[name])
}

async function comparisons(bench: Bench): Promise<ReadonlyMap<string, Comparison>> {
  const classes = await bench.need('schema').schema()
  const attributes = classes[bench.facts.objectClass]?.attributes ?? []
  return new Map(attributes.map(({ name, comparison = 'unknown' }) => [name, comparison]))
}

async function requireAnswer(
  bench: Bench,
  filter: Filter,
  known: ReadonlyMap<string, Comparison>,
): Promise<void> {
  const { native, rest } = bench.need('split').split(bench.facts.objectClass, filter)
  const comparisons = new Set(
    [bench.facts.attribute, bench.facts.unique].map((name) => known.get(name) ?? 'unknown'),
  )
  // Where only the system knows the comparison, no expected result exists.
  if (comparisons.has('unknown')) return
  const all = await bench.search()
  const found = (await bench.search(native)).filter((object) => matching(rest, known)(object))
  requireSame(
    found.map(idIn),
    all.filter(matching(filter, known)).map(idIn),
    `found for ${JSON.stringify(filter)}`,
  )
}

const idIn = ({ _id }: ConnectorObject) => _id

/** Evaluates with the attributes' comparison: ignoring case folds both sides. */
function matching(
  filter: Filter,
  known: ReadonlyMap<string, Comparison>,
): (object: ConnectorObject) => boolean {
  const matches = compileFilter(folded(filter, known))
  return (object) => {
    const texts: JsonObject = {}
    for (const [name, value] of Object.entries(object))
      if (typeof value === 'string')
        texts[name] = known.get(name) === 'ignoreCase' ? value.toLowerCase() : value
    return matches(texts)
  }
}

function folded(filter: Filter, known: ReadonlyMap<string, Comparison>): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, filters: filter.filters.map((part) => folded(part, known)) }
    case 'not':
      return { kind: 'not', filter: folded(filter.filter, known) }
    case 'compare': {
      if (known.get(filter.pointer[0] ?? '') !== 'ignoreCase') return filter
      const fold = (value: Json): Json => (typeof value === 'string' ? value.toLowerCase() : value)
      return { ...filter, value: Array.isArray(filter.value) ? filter.value.map(fold) : fold(filter.value) }
    }
    default:
      return filter
  }
}
