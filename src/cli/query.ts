import type { Command } from 'commander'
import { everything } from '../model/filter.ts'
import { parseFilter } from '../model/filter-parse.ts'
import { parsePointer } from '../model/pointer.ts'
import { parseSortKeys } from '../model/sort.ts'
import type { ResourceQuery } from '../router/resources.ts'
import { withApplication } from './application.ts'
import type { Done } from './command-line.ts'
import { example, folders, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'

interface QueryOptions extends ProjectOptions {
  readonly fields?: string
  readonly sort?: string
  readonly limit?: number
}

export function addQuery(program: Command, done: Done): void {
  const command = withProjectOptions(program.command('query <path> [filter]'))
    .description('Query an object set: managed/user, system/hr/account, repo/link, audit/recon, …')
    .option('--fields <list>', 'only these properties, e.g. userName,mail')
    .option('--sort <keys>', 'e.g. -sn,givenName')
    .option('--limit <n>', 'at most n objects', wholeNumber)
    .action(async (path: string, filter: string | undefined, options: QueryOptions) =>
      done(await query(path, filter, options)),
    )
  example(command, `syncline query managed/user 'sn sw "B"' --fields userName,mail --limit 5`)
}

/** Fetched at a time; what is printed is not held. */
const pageSize = 500

async function query(path: string, filter: string | undefined, options: QueryOptions): Promise<number> {
  const wanted: ResourceQuery = {
    filter: filter === undefined ? everything : parseFilter(filter),
    ...(options.fields === undefined ? {} : { fields: options.fields.split(',').map(parsePointer) }),
    ...(options.sort === undefined ? {} : { sortKeys: parseSortKeys(options.sort) }),
  }
  return withApplication(folders(options), async ({ resources, administrator }) => {
    let left = options.limit ?? Number.POSITIVE_INFINITY
    let cookie: string | null | undefined
    let count = 0
    // With the first object only: a query that is refused writes nothing.
    let separator = '{"result":['
    while (left > 0 && cookie !== null) {
      const page = await resources.query(
        path,
        { ...wanted, pageSize: Math.min(pageSize, left), cookie },
        administrator,
      )
      for (const object of page.result) {
        if (options.json) process.stdout.write(`${separator}\n${JSON.stringify(object)}`)
        else console.log(JSON.stringify(object))
        separator = ','
        count++
      }
      left -= page.result.length
      cookie = page.cookie
    }
    if (options.json) process.stdout.write(`${count === 0 ? separator : ''}\n],"resultCount":${count}}\n`)
    else console.error(`${count} objects`)
    return 0
  })
}
