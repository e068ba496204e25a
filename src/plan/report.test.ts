import { describe, expect, it } from 'vitest'
import { mask } from '../model/secrecy.ts'
import { Digesting } from './digesting.ts'
import { personName } from './person-name.ts'
import type { PlanHeader, PlanLine } from './plan-line.ts'
import { reportOf } from './report.ts'
import { printReport, type ReportFormat } from './report-formats.ts'
import { planEntry } from './testing/entry.ts'

const header: Omit<PlanHeader, 'checksum'> = {
  plan: 1,
  mapping: 'hr_user',
  runId: 'r1',
  configuration: 'c',
  created: '2026-01-01T00:00:00.000Z',
  createdBy: 'ann',
  request: { overrides: {} },
  targetPhase: true,
  filters: {},
  entries: 0,
  counts: {},
  writes: { creates: 0, updates: 0, deletes: 0, others: 0 },
  guard: { passes: false, exceeded: ['60 deletes'] },
}

function line(n: number, given: Partial<PlanLine>): PlanLine {
  return {
    ...planEntry({ mapping: 'hr_user', sourceId: `p${n}`, targetId: `u${n}` }),
    ...{ reason: '', read: { source: null, target: null, link: null }, name: `Person ${n}` },
    ...given,
  }
}

const moved = (n: number) =>
  line(n, { changes: [{ pointer: ['department'], before: 'Sales', after: 'Commerce' }] })

function shown(
  lines: readonly PlanLine[],
  format: ReportFormat = 'text',
  more: Partial<PlanHeader> = {},
): string {
  const digesting = new Digesting()
  for (const one of lines) digesting.add(one)
  const digest = { header: { ...header, ...more, entries: lines.length }, ...digesting.digest(), behind: [] }
  return printReport(reportOf(digest), format)
}

const thousands = Array.from({ length: 4120 }, (_, n) => moved(n))

describe('a plan that is shown', () => {
  it('says a change of thousands in one line', () => {
    const text = shown(thousands)
    expect(text).toContain('~ department  4,120  "Sales" → "Commerce"')
    expect(text.split('\n').length).toBeLessThan(10)
  })

  it('fits on one screen, whatever ten thousand people do', () => {
    const own = Array.from({ length: 10_000 }, (_, n) =>
      line(n, {
        action: (['UPDATE', 'CREATE', 'DELETE', 'UNLINK'] as const)[n % 4] ?? null,
        changes: Array.from({ length: 30 }, (_, k) => ({
          pointer: [`a${k}`],
          before: n % 2 ? undefined : `${n}`,
          after: `${n + k}`,
        })),
        ...(n % 7 === 0 ? { refusal: `could not write "${n}": no (u${n})` } : {}),
      }),
    )
    expect(shown(own).split('\n').length).toBeLessThan(80)
  })

  it('names first what only few do: an action, an attribute, a value', () => {
    const text = shown([
      ...thousands,
      line(9001, { action: 'DELETE', situation: 'SOURCE_MISSING', lost: { mail: 'x@x' } }),
      line(9002, { changes: [{ pointer: ['title'], before: 'CEO', after: 'Intern' }] }),
      line(9003, { changes: [{ pointer: ['department'], before: 'Sales', after: 'Nowhere' }] }),
    ])
    const [, first = ''] = text.split('\n\n')
    expect(first).toContain('DELETE')
    expect(first).toMatch(/title +1 of 4,122 +"CEO" → "Intern" \(UPDATE\) +· Person 9002 \(p9002\)/)
    expect(first).toMatch(/department +1 of 4,121 +"Sales" → "Nowhere" \(UPDATE\) +· Person 9003/)
    expect(first).not.toContain('Commerce')
  })

  it('shows one change of those that are different for everybody', () => {
    const own = Array.from({ length: 600 }, (_, n) =>
      line(n, { changes: [{ pointer: ['mail'], before: `${n}@x`, after: `${n}@y` }] }),
    )
    expect(shown(own)).toMatch(/~ mail +600 +more than 500 different values, e\.g\. "0@x" → "0@y"\n/)
    expect(shown(own.slice(0, 2))).toMatch(/~ mail +2 +"0@x" → "0@y" once, and 1 other\n/)
  })

  it('names who is deleted, as many as are known by name', () => {
    const gone = (n: number) =>
      line(n, { action: 'DELETE', situation: 'SOURCE_MISSING', lost: { mail: 'x@x' } })
    expect(shown([1, 2].map(gone))).toContain('· Person 1 (p1), Person 2 (p2)\n')
    expect(shown([1, 2, 3, 4, 5, 6, 7].map(gone))).toContain(
      '· Person 1 (p1), Person 2 (p2), Person 3 (p3), Person 4 (p4), Person 5 (p5), and 2 more\n',
    )
  })

  it('says of a deletion what is lost', () => {
    const text = shown([
      line(1, { action: 'DELETE', situation: 'SOURCE_MISSING', lost: { mail: 'x@x', title: 'CEO' } }),
    ])
    expect(text).toContain('what is lost')
    expect(text).toMatch(/- mail +1 {2}"x@x"/)
    expect(text).toMatch(/- title +1 {2}"CEO"/)
  })

  it('counts what is not to be done, and lists none of it', () => {
    const idle = Array.from({ length: 50 }, (_, n) => line(n, { writes: false }))
    expect(shown(idle)).toContain('50 entries, 0 to write, 50 with nothing to do')
    expect(shown(idle)).not.toContain('Person')
  })

  it('says each reason for which something fails once, with how many', () => {
    const refused = (n: number) =>
      line(n, { writes: false, refusal: `could not update target u${n}: "${n}" is no; u7 has it` })
    expect(shown([1, 2, 3].map(refused))).toMatch(
      /! UPDATE \(CONFIRMED\) {2}3 {2}could not update target …: "…" is no {2}· Person 1 \(p1\): u7 has it; Person 2 \(p2\): u7/,
    )
  })

  it('does not tell null from absent', () => {
    expect(shown([line(1, { changes: [{ pointer: ['x'], before: undefined, after: null }] })])).not.toContain(
      'null',
    )
  })

  it('says in one line which scripts do what is not in it, if there are any', () => {
    const more = { notForeseen: ['onLink', 'postUpdate of managed/user'] }
    const fact =
      'Scripts that run when it is performed: onLink, postUpdate of managed/user. What they do is not'
    expect(shown([moved(1)], 'text', more)).toContain(fact)
    expect(shown([moved(1)])).not.toContain('Scripts')
  })

  it('says what stands against it', () => {
    expect(shown(thousands)).toContain('The guard would stop this run: 60 deletes')
  })

  it.each<[ReportFormat, string]>([
    ['html', '&quot;&lt;script&gt;|&quot;'],
    ['markdown', '"\\<script\\>\\|"'],
  ])('is data, never markup: %s', (format, expected) => {
    const hostile = line(1, {
      name: '<b>|',
      changes: [{ pointer: ['x|'], before: 'a', after: '<script>|' }],
    })
    const document = shown([hostile, moved(2)], format)
    expect(document).toContain(expected)
    expect(document).not.toMatch(/(?<!\\)<(script|b>)/)
  })

  it('shows a secret as dots', () => {
    const changes = [{ pointer: ['password'], before: mask, after: mask }]
    expect(shown([line(1, { changes })])).toContain(`${mask} → ${mask}`)
  })
})

describe('a person is called', () => {
  it.each<[what: string, Parameters<typeof personName>, string | undefined]>([
    ['by the attributes of the mapping', [[{ a: 'A', b: 'B', cn: 'C' }], ['a', 'b']], 'A B'],
    ['by the target where the source has no name', [[{ id: 1 }, { displayName: 'D' }], []], 'D'],
    ['by the common attributes, in any case', [[{ GivenName: 'Ann', SN: 'Lee', mail: 'x' }], []], 'Ann Lee'],
    ['by the first value of several', [[{ cn: ['One', 'Two'] }], []], 'One'],
    ['by nothing where there is none', [[undefined, { x: 1 }], []], undefined],
    ['never by a secret', [[{ cn: 's3cret', mail: 'm' }], [], (name) => name === 'cn'], 'm'],
  ])('%s', (_what, given, name) => {
    expect(personName(...given)).toBe(name)
  })
})
