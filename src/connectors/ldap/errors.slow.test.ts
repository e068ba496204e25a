import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import type { Attributes } from '../kit/values.ts'
import { makeExpiredCertificates } from './testing/certificates.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/** An ordinary account reads five entries of a search and writes nothing. */
const ordinary = { principal: `uid=p0,${people}`, credentials: 'secret' }
const entries = Array.from(
  { length: 12 },
  (_, n) =>
    `dn: uid=p${n},${people}\nobjectClass: inetOrgPerson\nuid: p${n}\ncn: p\nsn: p\nuserPassword: secret\n`,
)

let slapd: Slapd
let full: Slapd
let expired: Slapd
let authority = ''

beforeAll(async () => {
  const limits = `olcLimits: {0}dn.exact="${ordinary.principal}" size.soft=5 size.hard=5`
  slapd = await startSlapd({
    entries: entries.join('\n'),
    database: ['olcAccess: {0}to * by * read', limits],
  })
  full = await startSlapd({ size: 200_000 })
  expired = await startSlapd({
    global: (folder) => {
      const files = makeExpiredCertificates(folder)
      authority = files.authority
      return [`olcTLSCertificateFile: ${files.certificate}`, `olcTLSCertificateKeyFile: ${files.key}`]
    },
  })
})

afterAll(async () => {
  for (const one of [slapd, full, expired]) await one[Symbol.asyncDispose]()
})

/** The message of a failure, and behind it what to do. */
async function failure(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  )
  return error instanceof Problem ? `${error.message} → ${error.hint}` : String(error)
}

async function tested(server: Slapd, settings: JsonObject): Promise<string> {
  await using connector = server.connect(settings)
  return await failure(connector.test())
}

async function written(server: Slapd, settings: JsonObject, attributes: Attributes): Promise<string> {
  await using connector = server.connect(settings)
  const dn = `uid=new,${people}`
  const all = { dn, cn: ['x'], sn: ['x'], ...attributes }
  const [outcome] = await connector.writeMany('__ACCOUNT__', [{ operation: 'create', attributes: all }])
  return failure(outcome?.ok === false ? Promise.reject(outcome.error) : Promise.resolve())
}

async function listed(settings: JsonObject): Promise<string> {
  await using connector = slapd.connect(settings)
  let listing: Listing = completeListing
  const pages = connector.search({ objectClass: '__ACCOUNT__', filter: everything, pageSize: 100 })
  for await (const _ of heeding(pages, (end) => {
    listing = end
  }));
  return 'reason' in listing ? `${listing.state}: ${listing.reason}` : listing.state
}

const at = '127\\.0\\.0\\.1:\\d+'
/** What goes wrong, and the sentence that a person gets: the server, its words, and what to do. */
const sentences: readonly (readonly [string, () => Promise<string>, string])[] = [
  [
    'a wrong password',
    () => tested(slapd, { credentials: 'wrong' }),
    `^${at} answers invalidCredentials \\(49\\) → Check principal and credentials in configurationProperties\\.$`,
  ],
  [
    'an expired certificate',
    () => tested(expired, { startTLS: true, trustedCertificates: authority }),
    `^${at}: certificate has expired → Give the server a new certificate`,
  ],
  [
    'a base context that is not there',
    () => tested(slapd, { baseContexts: [`ou=nowhere,${base}`] }),
    `^${at} has no entry ou=nowhere,${base}, which baseContexts names → Name a base that exists .*: ${base}\\.$`,
  ],
  [
    'an attribute that the server writes itself',
    () => written(slapd, {}, { createTimestamp: '20260101000000Z' }),
    `^${at} answers constraintViolation \\(19\\): createTimestamp: no user modification allowed → Leave the attribute out of the mapping`,
  ],
  [
    'an attribute that the schema does not have',
    () => written(slapd, {}, { shoeSize: '42' }),
    `^${at} answers undefinedAttributeType \\(17\\): shoeSize: attribute type undefined → Correct the name of the attribute`,
  ],
  [
    'an attribute that the object classes do not allow',
    () => written(slapd, {}, { uidNumber: '7' }),
    `^${at} answers objectClassViolation \\(65\\): attribute 'uidNumber' not allowed → Give the object all attributes that`,
  ],
  [
    'an account that may not write',
    () => written(slapd, ordinary, {}),
    `^${at} answers insufficientAccessRights \\(50\\): no write access to parent → Give the account of this system the right`,
  ],
  [
    'a database that is full',
    () => written(full, {}, { description: ['z'.repeat(150_000)] }),
    `^${at} answers other \\(80\\): .+ → Look into the log of the server, and at the space that its disk and its database have`,
  ],
  [
    'a size limit',
    () => listed(ordinary),
    `^partial: the size limit of the server ended the search below ${base} after 5 entries \\(${at} answers sizeLimitExceeded \\(4\\)\\); raise the limit`,
  ],
]

describe('what a person is told of', () => {
  it.each(sentences)(
    '%s is one sentence with the words of the server and what to do',
    async (_, happen, sentence) => {
      expect(await happen()).toMatch(new RegExp(sentence))
    },
  )
})
