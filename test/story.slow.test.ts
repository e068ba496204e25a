import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accounts, Company, everybody, type Person, rightTransform, users } from './support/company.ts'
import { bin, root, run } from './support/project.ts'
import { type Held, happened, held, nothing, Said, type } from './support/said-and-done.ts'

/**
 * A year at a company of 10,000 people, through the command line. In every chapter something goes wrong, and then: what is said
 * is what happened, in both systems; what the output names as a way out is run as it stands, and is one; and afterwards there is
 * nothing left to do.
 */
const count = 10_000
const people = everybody(count)
let company: Company
/** As it is when all is well. */
let well: Held

const say = (command: string) => type(company, command)

/** What was said has happened: in managed users as the run counts it, and just so in the directory. */
function expectDone(
  { counts: { created, updated, deleted }, out }: Said,
  before: Held,
  after = held(company),
): Held {
  const done = { created, updated, deleted }
  expect(happened(before, after), out).toEqual({ users: done, accounts: done })
  return after
}

/** Neither mapping has anything to do or to leave to people, and a second run writes nothing. */
function expectNothingLeft(before = held(company)): void {
  const plan = say(`syncline plan ${accounts} --detailed-exitcode`)
  expect(plan.code, plan.out).toBe(0)
  const second = say(`syncline recon ${users}`)
  expect(second, second.out).toMatchObject({ code: 0, counts: { ...nothing, links: 0, failed: 0 } })
  expect(say('syncline issues').out).toBe('Nothing is left to decide.\n')
  expect(say('syncline queue').out).toBe('Nothing waits.\n')
  expect(held(company)).toEqual(before)
}

/** The export is as it should be, and so is everything else. */
function mend(): void {
  company.export(people)
  const run = say(`syncline recon ${users}`)
  expect(run.code, run.out).toBe(0)
  expect(held(company)).toEqual(well)
}

const changed = (change: (person: Person, place: number) => Person) => people.map(change)

beforeAll(() => {
  company = new Company(people)
})
afterAll(() => company[Symbol.dispose]())

describe('a company of 10,000', () => {
  it('begins: a plan, a look at it, and exactly that', () => {
    const before = held(company)
    const plan = say(`syncline plan ${users} --out plan.ndjson`)
    expect(plan).toMatchObject({ code: 0, flowsOn: count, plan: { 'ABSENT CREATE': [count, count] } })
    expect(plan.waysOut).toEqual(['syncline show plan.ndjson', 'syncline apply plan.ndjson'])
    const shown = say(plan.wayOut('syncline show'))
    expect(shown.out).toContain('10,000 entries, 10,000 to write, 0 with nothing to do')
    expect(shown.out.split('\n').length).toBeLessThan(30)
    expect(held(company)).toEqual(before)
    const applied = say(plan.wayOut('syncline apply'))
    expect(applied).toMatchObject({ code: 0, counts: { created: count, links: count, failed: 0 } })
    expect(applied.out).toContain('10000 entries performed, 0 done already, 0 left out')
    well = expectDone(applied, before)
    expect(well.links[users].size).toBe(count)
    expect(well.links[accounts]).toEqual(new Map(people.map(({ number }) => [number, number])))
    expectNothingLeft(well)
  })

  describe('half of an export', () => {
    it('is refused before anything is written; mended, it is as if nothing had been', () => {
      company.export(people.slice(0, count / 2))
      const plan = say(`syncline plan ${users} --out half.ndjson`)
      expect(plan.plan).toEqual({ 'CONFIRMED UPDATE': [5000, 0], 'SOURCE_MISSING DELETE': [5000, 5000] })
      for (const refused of [say(`syncline recon ${users}`), say('syncline apply half.ndjson')]) {
        expect(refused).toMatchObject({ code: 1, counts: { ...nothing, links: 0 } })
        expect(refused.out).toContain(
          'nothing was written: 5000 deletes for 10000 linked targets; at most 3000 (30%) are allowed',
        )
      }
      expect(held(company)).toEqual(well)
      expect(say('syncline issues').out).toMatch(/^1 × GUARD {2}hr_user/)
      mend()
      expectNothingLeft(well)
    })

    it('is approved with a reason where it is right, and each further brake names its way out', () => {
      company.export(people.slice(0, count / 2))
      const refused = say(`syncline recon ${users}`)
      for (const look of ['syncline plan', 'syncline show']) expect(say(refused.wayOut(look)).code).toBe(0)
      const approved = say(refused.wayOut('syncline apply'))
      expect(approved).toMatchObject({ code: 0, counts: { deleted: 5000, failed: 0 } })
      expect(approved.out).toContain(
        '5000 entries performed, 5000 with nothing to do, 0 done already, 0 left out',
      )
      // The mapping behind has a guard of its own.
      const between = held(company)
      expect(happened(well, between)).toEqual({
        users: { ...nothing, deleted: 5000 },
        accounts: { ...nothing, deleted: 3000 },
      })
      const left = say('syncline issues')
      expect(left.out).toMatch(/^1 × HELD_BACK {2}user_directory/)
      expect(say(left.wayOut('syncline queue --dead')).out).toContain('50 of 2000')
      const released = say(left.wayOut('syncline queue --release'))
      expect(released).toMatchObject({ code: 0, out: 'user_directory: 2000 changes released: 2000 done\n' })
      expect(happened(between, held(company)).accounts).toEqual({ ...nothing, deleted: 2000 })
      expectNothingLeft()
      const without = held(company)
      company.export(people)
      expect(expectDone(say(`syncline recon ${users}`), without)).toEqual(well)
      expectNothingLeft(well)
    })
  })

  it('has a wrong transform, performed by mistake, and goes the way back that the run names', () => {
    company.edit('conf/sync.json', (text) => text.replace(rightTransform, 'source.toUpperCase()'))
    const plan = say(`syncline plan ${users} --out wrong.ndjson`)
    expect(plan).toMatchObject({ plan: { 'CONFIRMED UPDATE': [count, count] }, flowsOn: count })
    const shown = say(plan.wayOut('syncline show'))
    expect(shown.out).toMatch(
      /UPDATE 10,000 \(CONFIRMED\)\n {2}~ mail {2}10,000 {2}.*"person\.0@example\.com" → "PERSON\.0@EXAMPLE\.COM"\n\n/,
    )
    const wrong = say(plan.wayOut('syncline apply'))
    const spoilt = expectDone(wrong, well)
    expect(wrong.counts.updated).toBe(count)

    company.edit('conf/sync.json', (text) => text.replace('source.toUpperCase()', rightTransform))
    const back = say(wrong.wayOut('syncline undo'))
    expect(back).toMatchObject({ code: 0, flowsOn: count })
    expect(back.out).toMatch(
      /UPDATE 10,000 .*\n {2}~ mail {2}10,000 {2}.*"PERSON\.\d+@EXAMPLE\.COM" → "person\.\d+@example\.com"/,
    )
    expect(held(company)).toEqual(spoilt)
    const undone = say(back.wayOut('syncline apply'))
    expect(undone.code, undone.out).toBe(0)
    expect(expectDone(undone, spoilt)).toEqual(well)
    expectNothingLeft(well)
  })

  it.each([
    ['familyName', 'lastName', ['syncline livesync system/hr/account']],
    ['department', 'unit', []],
  ])(
    'finds that the column %s is called %s in the export: nothing is lost, and the remedy is named',
    (was, is, others) => {
      const header = ['number', 'givenName', 'familyName', 'mail', 'department']
      const renamed = header.map((name) => (name === was ? is : name))
      company.export(people, renamed)
      for (const command of [`syncline plan ${users}`, `syncline recon ${users}`, ...others]) {
        const refused = say(command)
        expect(refused.code).toBe(1)
        const words = refused.out + refused.err
        expect(words).toContain(`system/hr/account no longer has ${was}`)
        expect(words).toContain(`Perhaps ${was} is called ${is} now`)
        expect(words).toContain(`let the property ${was} of the objectTypes have "nativeName": "${is}"`)
      }
      expect(held(company)).toEqual(well)
      const declaration = new RegExp(`"${was}": \\{\\s+"type": "string"`)
      company.edit('conf/provisioner.openicf-hr.json', (text) =>
        text.replace(declaration, `$&, "nativeName": "${is}"`),
      )
      for (const command of others) expect(say(command).code).toBe(0)
      expectNothingLeft(well)
      // HR goes back to the old name.
      company.edit('conf/provisioner.openicf-hr.json', (text) => text.replace(`, "nativeName": "${is}"`, ''))
      company.export(people)
      expectNothingLeft(well)
    },
  )

  it('has people with one mail: who is refused, and because of whom, is said before; mended, only these are done', () => {
    const taken = new Map([7, 8].map((place) => [place, people[place - 4]?.mail ?? '']))
    company.export(changed((one, place) => ({ ...one, mail: taken.get(place) ?? one.mail })))
    const plan = say(`syncline plan ${users} --out same.ndjson --detailed-exitcode`)
    expect(plan).toMatchObject({ code: 3, plan: { 'CONFIRMED UPDATE': [count, 0] } })
    expect(plan.out).toContain('Would fail: 2')
    const shown = say(plan.wayOut('syncline show'))
    expect(shown.out).toMatch(/2 that will not be done, 9,998 with nothing to do/)
    expect(shown.out).toMatch(
      /mail: UNIQUE\) {2}· Raúl Family 0 \(10008\): managed\/user\/\S+ has the mail, linked to 10004; Mia Family 0 \(10009\): managed\/user\/\S+ has the mail, linked to 10005/,
    )
    for (const run of [say(plan.wayOut('syncline apply')), say(`syncline recon ${users}`)]) {
      expect(run).toMatchObject({ code: 3, counts: { ...nothing, failed: 2 } })
      expect(run.out).toMatch(/Failed: 2\n {4}2 × POLICY_FAILED: .*mail: UNIQUE/)
      expect(say(run.wayOut('syncline query')).out).toMatch(/10008[\s\S]*10009|10009[\s\S]*10008/)
    }
    expect(held(company)).toEqual(well)

    const failed = say(`syncline recon ${users}`)
    const mended = changed((one, place) =>
      taken.has(place) ? { ...one, mail: `Own.${place}@Example.com` } : one,
    )
    company.export(mended)
    const retried = say(failed.wayOut(`syncline recon ${users} --retry`))
    expect(retried).toMatchObject({ code: 0, counts: { ...nothing, updated: 2, unchanged: 0, failed: 0 } })
    expectNothingLeft(expectDone(retried, well))
    mend()
  })

  it('has two who swap their mail: one plan, and both have what they want', () => {
    const [one, other] = [people[20], people[21]]
    const swapped = new Map([
      [one?.number, other?.mail ?? ''],
      [other?.number, one?.mail ?? ''],
    ])
    company.export(changed((person) => ({ ...person, mail: swapped.get(person.number) ?? person.mail })))
    const plan = say(`syncline plan ${users} --out swap.ndjson`)
    expect(plan).toMatchObject({ code: 0, flowsOn: 2, plan: { 'CONFIRMED UPDATE': [count, 2] } })
    const applied = say(plan.wayOut('syncline apply'))
    expect(applied).toMatchObject({ code: 0, counts: { updated: 2, failed: 0 } })
    expect(applied.out).toContain('2 entries performed, 9998 with nothing to do, 0 done already, 0 left out')
    const after = expectDone(applied, well)
    expect(after.accounts.get('10021')).toContain('"person.21@example.com"')
    expect(after.accounts.get('10022')).toContain('"person.20@example.com"')
    expectNothingLeft(after)
    mend()
  })

  it('gives a person another number: nobody is deleted, and the link is carried over as the output says', () => {
    const renamed = changed((one) => (one.number === '10031' ? { ...one, number: 'N10031' } : one))
    company.export(renamed)
    const id = userId('10031')
    const plan = say(`syncline plan ${users} --out renamed.ndjson`)
    expect(plan.plan).toEqual({
      'CONFIRMED UPDATE': [count - 1, 0],
      'FOUND_ALREADY_LINKED EXCEPTION': [1, 0],
    })
    const run = say(`syncline recon ${users}`)
    expect(run.counts).toMatchObject(nothing)
    expect(held(company)).toEqual(well)
    const issues = say(run.wayOut('syncline issues'))
    expect(issues.out).toContain('10031, which it is linked to, is gone')
    expect(say(issues.wayOut('syncline issues')).code).toBe(0)
    const carried = say(issues.wayOut('syncline recon'))
    expect(carried).toMatchObject({ code: 0, counts: { ...nothing, updated: 1 } })
    expect(userId('N10031')).toBe(id)
    const after = held(company)
    expect([after.links[users].get('N10031'), after.links[users].has('10031')]).toEqual(['N10031', false])
    expect([after.accounts.has('N10031'), after.accounts.has('10031'), after.accounts.size]).toEqual([
      true,
      false,
      count,
    ])
    expectNothingLeft(after)
  })

  it('sees thirty leave: each by name with what is lost, and nothing of them stays', () => {
    company.export(people)
    const [issue] = [say(`syncline recon ${users}`), say('syncline issues')].slice(1)
    expect(say(issue?.wayOut('syncline issues') ?? '').code).toBe(0)
    mend()

    const gone = people.slice(100, 130)
    const numbers = new Set(gone.map(({ number }) => number))
    company.export(people.filter(({ number }) => !numbers.has(number)))
    const plan = say(`syncline plan ${users} --out leavers.ndjson`)
    expect(plan).toMatchObject({
      flowsOn: 30,
      plan: { 'CONFIRMED UPDATE': [count - 30, 0], 'SOURCE_MISSING DELETE': [30, 30] },
    })
    const shown = say(plan.wayOut('syncline show'))
    expect(shown.out).toContain('DELETE 30 (SOURCE_MISSING); what is lost:')
    const each = say(shown.wayOut('syncline show leavers.ndjson --each'))
    for (const { givenName, familyName, number, mail } of gone) {
      expect(each.out).toMatch(
        new RegExp(`^- DELETE .* SOURCE_MISSING {2}· ${givenName} ${familyName}$`, 'm'),
      )
      expect(each.out).toContain(`- number: "${number}"`)
      expect(each.out).toContain(`- mail: "${mail.toLowerCase()}"`)
    }
    const applied = say(plan.wayOut('syncline apply'))
    const after = expectDone(applied, well)
    expect(applied.counts).toMatchObject({ deleted: 30, failed: 0 })
    for (const number of numbers)
      expect([after.links[users].has(number), after.links[accounts].has(number)]).toEqual([false, false])
    expectNothingLeft(after)
    mend()
  })

  it('is killed in the middle of a plan, and the plan, performed again, does the rest', async () => {
    company.export(changed((one) => ({ ...one, mail: one.mail.replace('Example.com', 'Example.org') })))
    const plan = say(`syncline plan ${users} --out moved.ndjson`)
    expect(plan.plan).toEqual({ 'CONFIRMED UPDATE': [count, count] })
    const killed = company.start(['apply', company.path('moved.ndjson')])
    await expect.poll(moved).toBeGreaterThanOrEqual(1000)
    killed.kill('SIGKILL')
    await new Promise((resolve) => killed.once('exit', resolve))
    const half = moved()
    expect(half).toBeLessThan(count)
    expect(say('syncline runs').out).toMatch(/hr_user +apply .* FAILED +0 +\d+ +0 +0/)

    const rest = say(plan.wayOut('syncline apply'))
    expect(rest.code, rest.out + rest.err).toBe(0)
    const [, performed, done] = /(\d+) entries performed, (\d+) done already, 0 left out/.exec(rest.out) ?? []
    expect(Number(performed) + Number(done)).toBe(count)
    expect(Number(done)).toBeGreaterThan(0)
    expect(rest.counts.updated).toBe(Number(performed))
    const after = held(company)
    expect(happened(well, after)).toEqual({
      users: { ...nothing, updated: count },
      accounts: { ...nothing, updated: count },
    })
    expect(after.links).toEqual(well.links)
    expectNothingLeft(after)
  })

  it('names its commands for where they are typed', () => {
    const elsewhere = run(
      process.execPath,
      [bin, 'plan', users, '--project', company.folder, '--out', company.path('x.ndjson')],
      {},
      { cwd: root },
    )
    const look = new Said('plan', elsewhere).wayOut('syncline show')
    expect(look).toBe(`syncline show ${company.path('x.ndjson')} --project ${company.folder}`)
    expect(say(look).code).toBe(0)
  })
})

function userId(number: string): string | undefined {
  const { result } = company.json<{ result: { _id: string }[] }>(
    'query',
    'managed/user',
    `number eq "${number}"`,
  )
  return result[0]?._id
}

/** How many accounts have the new address. */
function moved(): number {
  return company.read('data/directory.csv').split('example.org').length - 1
}
