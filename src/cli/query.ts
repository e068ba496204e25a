import type { Command } from 'commander'
import { type From, pages } from '../kit/cookies.ts'
import { everything } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { parsePointer } from '../model/pointer.ts'
import { asProblem } from '../model/problem.ts'
import { parseSortKeys } from '../model/sort.ts'
import type { Resource, ResourcePage, ResourceQuery } from '../router/resources.ts'
import type { Application } from '../server/application.ts'
import { withApplication } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { withSlashesInId, writtenPath } from './written-path.ts'

interface QueryOptions extends ProjectOptions {
  readonly fields?: string
  readonly sort?: string
  readonly limit?: number
}

export function addQuery(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('query <path> [filter]'))
    .description(
      'Query an object set (managed/user, system/hr/account, repo/link, audit/recon, …) or read one object of it.',
    )
    .option('--fields <list>', 'only these properties, e.g. userName,mail')
    .option('--sort <keys>', 'e.g. -sn,givenName')
    .option('--limit <n>', 'at most n objects', wholeNumber)
    .action(exit(query))
  example(command, `syncline query managed/user 'sn sw "B"' --fields userName,mail --limit 5`)
}

/** Objects per request. Printed objects are not kept in memory. */
const pageSize = 500

async function query(path: string, filter: string | undefined, options: QueryOptions): Promise<number> {
  const wanted: ResourceQuery = {
    filter: filter === undefined ? everything : parseFilter(filter),
    ...(options.fields === undefined ? {} : { fields: options.fields.split(',').map(parsePointer) }),
    ...(options.sort === undefined ? {} : { sortKeys: parseSortKeys(options.sort) }),
  }
  return withApplication(options, async (application) => {
    let count = 0
    // Printed only with the first object: a refused query prints nothing.
    let separator = '{"result":['
    for await (const object of found(application, writtenPath(path), wanted, options.limit)) {
      if (options.json) process.stdout.write(`${separator}\n${JSON.stringify(object)}`)
      else console.log(JSON.stringify(object))
      separator = ','
      count++
    }
    if (options.json) process.stdout.write(`${count === 0 ? separator : ''}\n],"resultCount":${count}}\n`)
    else console.error(count === 1 ? '1 object' : `${count} objects`)
    return 0
  })
}

/** The objects of a set, page by page. If the path names a single object, only that. */
async function* found(
  { resources, administrator }: Application,
  path: string,
  wanted: ResourceQuery,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Resource> {
  if (limit <= 0) return
  let left = limit
  // Private values of managed objects leave the server by no way.
  const asking = { ...administrator, external: /^\/?managed\//.test(path) }
  const fetch = (from: From): Promise<ResourcePage> => {
    const query = { ...wanted, pageSize: Math.min(pageSize, left), ...from }
    return resources.query(path, query, asking).catch(async (refusal) => {
      if (wanted.filter !== everything || !mayBeObject(refusal)) throw refusal
      return { result: [await objectAt(path, refusal)], cookie: null }
    })
  }
  const read = (at: string) => resources.read(at, { ...asking, fields: wanted.fields })
  const objectAt = (at: string, refusal: unknown): Promise<Resource> =>
    read(at).catch((failure) => {
      const other = withSlashesInId(at)
      const reported = at.includes('/') && !refusesQuery(failure) ? failure : refusal
      return other === undefined
        ? Promise.reject(reported)
        : read(other).catch(() => Promise.reject(reported))
    })
  for await (const { result, unreadable = [] } of pages(fetch)) {
    yield* result
    for (const { problem } of unreadable) console.error(`left out: ${problem.message}`)
    left -= result.length
    if (left <= 0) return
  }
}

/** The query failed because the path may name a single object, or an id with slashes. */
function mayBeObject(error: unknown): boolean {
  return refusesQuery(error) || asProblem(error).code === 'NOT_FOUND'
}

/** The answer of resources whose path names a single object. */
function refusesQuery(error: unknown): boolean {
  const { code } = asProblem(error)
  return code === 'NOT_IMPLEMENTED' || code === 'BAD_REQUEST'
}
