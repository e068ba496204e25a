/**
 * Writes data/hr.csv and data/directory.csv: 500 invented people and 60 invented accounts.
 *
 * The same seed gives the same bytes on every machine, so that the files can be committed and the tests can count on
 * them. Names, numbers and addresses are fiction: telephone numbers come from ranges that regulators keep free for
 * film and television, mail domains from those reserved for documentation.
 */
import { writeFileSync } from 'node:fs'

const PEOPLE = 500
const FIRST_NUMBER = 1001

/** mulberry32: small, fast and good enough to look like chance. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const random = randomFrom(20260301)
const integer = (below) => Math.floor(random() * below)
const chance = (probability) => random() < probability
const pick = (list) => list[integer(list.length)]
const words = (text) => text.split(',').map((word) => word.trim())

// ---- names ----------------------------------------------------------------------------------------------------------

const cultures = {
  British: {
    given: words(
      'Amelia, Oliver, Isla, George, Freya, Harry, Poppy, Arthur, Evie, Alfie, Imogen, Rupert, Mary Jane, Tom, Nia, Rhys, Zoë',
    ),
    family: words(
      'Smith-Jones, Taylor, Ashworth, Hughes, Whitaker, Pemberton, Clarke, Fletcher, Okafor, Patel, Singh, Bowes-Lyon, Adeyemi, Marsh',
    ),
  },
  Irish: {
    given: words('Siobhán, Seán, Niamh, Ciarán, Aoife, Pádraig, Róisín, Oisín, Gráinne, Declan'),
    family: words(
      "O'Brien, O'Connor, O'Sullivan, Ó Súilleabháin, Ní Dhomhnaill, McCarthy, FitzGerald, Byrne, Doyle",
    ),
  },
  French: {
    given: words(
      'Chloé, Jean-Luc, Anne-Sophie, Théo, Léa, François, Hélène, Loïc, Agnès, Rémi, Maëlle, Benoît, Marie Claire, Gaëtan',
    ),
    family: words(
      'Lefèvre, Dupont, Moreau, Bélanger, de La Fontaine, Garçon, Noël, Prévost, Mercier, Châtelain, Nguyễn, Diallo, Rousseau, Hervé',
    ),
  },
  German: {
    given: words(
      'Jürgen, Käthe, Sören, Anna Maria, Björn, Lukas, Greta, Moritz, Hanna, Jörg, Karl Heinz, Emine, Łukasz, Agnieszka',
    ),
    family: words(
      'Groß, Weiß, Schröder, Köhler, von Hohenberg, Müller-Lüdenscheidt, Çelik, Yıldız, Wiśniewski, Łukasiewicz, Brandt, Krüger, Jäger, Vogel',
    ),
  },
  American: {
    given: words(
      'Madison, Tyler, Juan Carlos, Sofía, Brandon, Aaliyah, Diego, Ashley, Marcus, Inés, Kevin, María del Carmen, Hùng, Jasmine, Vincenzo',
    ),
    family: words(
      "D'Angelo, Washington, García Márquez, Rodríguez, Johnson, de la Cruz, Kowalski, Nuñez, Dell'Acqua, Park, Trần, Williams, Peña, Goldberg, Van Buren",
    ),
  },
}

/** What mail administrators made of a name: letters, digits, dots and hyphens. */
function ascii(text) {
  return text
    .replace(/ß/g, 'ss')
    .replace(/ø/gi, 'o')
    .replace(/ł/gi, 'l')
    .replace(/ı/g, 'i')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
}
const mailPart = (text) => ascii(text).replace(/[^a-z0-9-]/g, '')

// ---- places and telephone numbers -----------------------------------------------------------------------------------

const twoDigits = () => String(integer(100)).padStart(2, '0')
const threeDigits = () => String(integer(1000)).padStart(3, '0')

const sites = [
  {
    name: 'London',
    cultures: ['British', 'British', 'British', 'Irish', 'Irish', 'French'],
    languages: ['en'],
    phone() {
      const line = `0${threeDigits()}`
      return pick([
        `+44 20 7946 ${line}`,
        `020 7946 ${line}`,
        `(020) 7946-${line}`,
        `+44 (0)20 7946 ${line}`,
        `0044 20 7946${line}`,
        `020 7946 ${line} ext. ${10 + integer(90)}`,
      ])
    },
  },
  {
    name: 'Paris',
    cultures: ['French', 'French', 'French', 'British', 'German'],
    languages: ['fr', 'fr', 'en'],
    phone() {
      const pairs = [twoDigits(), twoDigits(), twoDigits()]
      const [a, b] = pairs
      return pick([
        `01 99 00 ${a} ${b}`,
        `01.99.00.${a}.${b}`,
        `+33 1 99 00 ${a} ${b}`,
        `+33 (0)1 99 00 ${a} ${b}`,
        `0033199 00 ${a}${b}`,
      ])
    },
  },
  {
    name: 'Berlin',
    cultures: ['German', 'German', 'German', 'French', 'Irish'],
    languages: ['de', 'de', 'en'],
    phone() {
      const line = threeDigits()
      return pick([
        `030 23125 ${line}`,
        `030/23125-${line}`,
        `+49 30 23125${line}`,
        `+49 (0)30 23125 ${line}`,
        `0049-30-23125-${line}`,
      ])
    },
  },
  {
    name: 'New York',
    cultures: ['American', 'American', 'American', 'Irish', 'British'],
    languages: ['en', 'en', 'es'],
    phone() {
      const line = `01${twoDigits()}`
      return pick([
        `(212) 555-${line}`,
        `212.555.${line}`,
        `+1 212 555 ${line}`,
        `1-212-555-${line}`,
        `212-555-${line} x${100 + integer(900)}`,
      ])
    },
  },
]

// ---- the organization -----------------------------------------------------------------------------------------------

const departments = [
  {
    name: 'Finance',
    costCentre: '4100',
    titles: ['Accountant', 'Controller', 'Payroll Specialist'],
    share: 6,
  },
  { name: 'Human Resources', costCentre: '4200', titles: ['Recruiter', 'HR Business Partner'], share: 4 },
  {
    name: 'Information Technology',
    costCentre: '4300',
    titles: ['Systems Engineer', 'Service Desk Analyst', 'Network Engineer'],
    share: 9,
  },
  {
    name: 'Legal, Risk & Compliance',
    costCentre: '4400',
    titles: ['Counsel', 'Auditor', 'Privacy Officer'],
    share: 3,
  },
  {
    name: 'Research & Development',
    costCentre: '5100',
    titles: ['Software Engineer', 'Senior Software Engineer', 'Scientist', 'Test Engineer'],
    share: 16,
  },
  { name: 'Sales, Europe', costCentre: '6100', titles: ['Account Executive', 'Sales Engineer'], share: 9 },
  { name: 'Sales, Americas', costCentre: '6200', titles: ['Account Executive', 'Sales Engineer'], share: 8 },
  { name: 'Marketing', costCentre: '6300', titles: ['Designer', 'Editor', 'Campaign Specialist'], share: 5 },
  { name: 'Operations', costCentre: '7100', titles: ['Planner', 'Buyer', 'Warehouse Lead'], share: 10 },
  { name: 'Customer Care', costCentre: '7200', titles: ['Support Agent', 'Support Engineer'], share: 10 },
]
const weightedDepartments = departments.flatMap((department) => Array(department.share).fill(department))

/** Numbers grow with the date of entry, as payroll systems hand them out. */
function startDate(index) {
  const day = Date.UTC(2009, 0, 5) + Math.floor((index / PEOPLE) * 6480) * 86_400_000
  return isoDate(day)
}
const isoDate = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 10)
const earliest = (...dates) => dates.sort()[0]
const daysAfter = (date, days) => isoDate(Date.parse(date) + days * 86_400_000)

const taken = { names: new Set(), mails: new Set() }

function drawName(site) {
  for (;;) {
    const culture = cultures[pick(site.cultures)]
    const name = { first: pick(culture.given), last: pick(culture.family) }
    const key = `${name.first} ${name.last}`
    if (taken.names.has(key)) continue
    taken.names.add(key)
    return name
  }
}

function mailOf({ first, last }, domain) {
  const base = `${mailPart(first)}.${mailPart(last)}`
  for (let count = 1; ; count++) {
    const mail = `${base}${count === 1 ? '' : count}@${domain}`
    if (taken.mails.has(mail)) continue
    taken.mails.add(mail)
    return mail
  }
}

/** As some HR clerks type it. */
const capitalized = (mail) =>
  mail.replace(/(^|\.)([a-z])(?=[^@]*@)/g, (_, dot, letter) => dot + letter.toUpperCase())

function statusOf(index) {
  if (index < 60) return 'active'
  if (index >= PEOPLE - 12) return 'offer'
  if (chance(0.072)) return 'terminated'
  return chance(0.03) ? 'leave' : 'active'
}

/** The first is the head of the house, the next ten head a department each, then come fifty team leads. */
function roleOf(index) {
  if (index === 0) return { title: 'Chief Executive Officer', department: departments[4], manager: undefined }
  if (index <= departments.length) {
    const department = departments[index - 1]
    return { title: `Director, ${department.name}`, department, manager: 0, head: true }
  }
  if (index <= 60) {
    const head = 1 + (index % departments.length)
    const department = departments[head - 1]
    return { title: `Team Lead, ${department.name}`, department, manager: head, lead: true }
  }
  const department = pick(weightedDepartments)
  const head = 1 + departments.indexOf(department)
  const leads = Array.from({ length: 50 }, (_, offset) => 11 + offset).filter(
    (lead) => 1 + (lead % departments.length) === head,
  )
  return { title: pick(department.titles), department, manager: pick(leads) }
}

function contractOf(index) {
  if (index <= 60) return 'permanent'
  const draw = random()
  if (draw < 0.12) return 'contractor'
  if (draw < 0.18) return 'fixed-term'
  return draw < 0.22 ? 'intern' : 'permanent'
}

function endDateOf(status, contract, start) {
  if (status === 'terminated') return earliest(daysAfter(start, 90 + integer(600)), '2026-10-30')
  if (contract === 'contractor' || contract === 'fixed-term') return daysAfter(start, 9000)
  return ''
}

function person(index) {
  const site = sites[integer(sites.length)]
  const role = roleOf(index)
  const name = index === 137 || index === 311 ? { first: 'Anna', last: 'Müller' } : drawName(site)
  const contract = contractOf(index)
  const status = statusOf(index)
  const start = status === 'offer' ? '2027-01-04' : startDate(index)
  const mail = mailOf(name, contract === 'contractor' ? 'partner.example' : 'example.com')
  return {
    emp_no: String(FIRST_NUMBER + index),
    first_name: name.first,
    last_name: name.last,
    work_mail:
      index > 60 && chance(contract === 'contractor' ? 0.3 : 0.05)
        ? ''
        : chance(0.1)
          ? capitalized(mail)
          : mail,
    work_phone: chance(0.08) ? '' : site.phone(),
    department: role.department.name,
    cost_centre: role.department.costCentre,
    job_title: role.title,
    site: site.name,
    manager_no: role.manager === undefined ? '' : String(FIRST_NUMBER + role.manager),
    contract,
    status,
    start_date: start,
    end_date: endDateOf(status, contract, start),
    language: chance(0.2) ? '' : pick(site.languages),
  }
}

// ---- the accounts that the directory has already --------------------------------------------------------------------

const takenUids = new Set()

/** The habit of former administrators: eight letters of the surname and the initial. */
function formerUid(entry) {
  const base = `${mailPart(entry.last_name).replaceAll('-', '').slice(0, 8)}${mailPart(entry.first_name)[0]}`
  for (let count = 1; ; count++) {
    const uid = `${base}${count === 1 ? '' : count}`
    if (takenUids.has(uid)) continue
    takenUids.add(uid)
    return uid
  }
}

const emptyAccount = {
  uid: '',
  cn: '',
  sn: '',
  givenName: '',
  displayName: '',
  mail: '',
  telephoneNumber: '',
  departmentNumber: '',
  ou: '',
  title: '',
  l: '',
  employeeType: '',
  employeeNumber: '',
  manager: '',
  preferredLanguage: '',
  description: '',
}

function formerAccount(entry, known) {
  return {
    ...emptyAccount,
    uid: formerUid(entry),
    cn: `${entry.first_name} ${entry.last_name}`,
    sn: entry.last_name,
    givenName: entry.first_name,
    displayName: `${entry.last_name} ${entry.first_name}`,
    telephoneNumber: entry.work_phone,
    ou: entry.department,
    l: entry.site,
    ...known,
  }
}

const byNumber = (entry) => formerAccount(entry, { employeeNumber: entry.emp_no })
const byMail = (entry) => formerAccount(entry, { mail: entry.work_mail.toLowerCase() })
const serviceAccount = (uid, cn, description) => ({
  ...emptyAccount,
  uid,
  cn,
  sn: cn,
  employeeType: 'service',
  description,
})

function accounts(people) {
  const current = people.filter(({ status }) => status === 'active' || status === 'leave')
  const left = people.filter(({ status }) => status === 'terminated')
  const longServing = current.slice(0, 90)
  const withMail = longServing.filter(({ work_mail }) => work_mail !== '')
  const [twice] = withMail.splice(20, 1)
  const knownByMail = withMail.filter((_, position) => position % 6 === 3).slice(0, 12)
  const knownByNumber = longServing
    .filter((entry) => entry !== twice && !knownByMail.includes(entry))
    .slice(0, 40)
  return [
    ...[...knownByNumber.map(byNumber), ...knownByMail.map(byMail)].sort((a, b) => (a.uid < b.uid ? -1 : 1)),
    byNumber(twice),
    byMail(twice),
    ...left.slice(0, 3).map(byNumber),
    serviceAccount('svc-backup', 'Backup Service', 'Nightly backup of the file servers'),
    serviceAccount('svc-monitoring', 'Monitoring', 'Reads health data, all sites'),
    serviceAccount('svc-print', 'Print Server', 'Owner unknown; in use'),
  ]
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

const quoted = (value) => `"${value}"`
const quotedIfNeeded = (value) => (value.includes(',') ? quoted(value) : value)

function csv(rows, cell) {
  const header = Object.keys(rows[0])
  return [header.map(cell), ...rows.map((row) => header.map((name) => cell(row[name])))]
    .map((cells) => `${cells.join(',')}\n`)
    .join('')
}

const people = Array.from({ length: PEOPLE }, (_, index) => person(index))
writeFileSync(new URL('data/hr.csv', import.meta.url), csv(people, quotedIfNeeded))
writeFileSync(new URL('data/directory.csv', import.meta.url), csv(accounts(people), quoted))
