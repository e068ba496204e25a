import type { Command } from 'commander'
import { mappingLinks } from '../sync/page/links.ts'
import { withApplication } from './application.ts'
import {
  type Done,
  example,
  folders,
  type ProjectOptions,
  wholeNumber,
  withProjectOptions,
} from './options.ts'
import { table } from './style.ts'

interface LinksOptions extends ProjectOptions {
  readonly limit: number
}

export function addLinks(program: Command, done: Done): void {
  const command = withProjectOptions(program.command('links <mapping>'))
    .description("Show a mapping's links: which source object belongs to which target object.")
    .option('--limit <n>', 'show at most n links', wholeNumber, 1000)
    .action(async (mapping: string, options: LinksOptions) => done(await links(mapping, options)))
  example(command, 'syncline links hrAccount_managedUser --project examples/hr-to-directory --limit 5')
}

async function links(name: string, options: LinksOptions): Promise<number> {
  return withApplication({ ...folders(options), mapping: name }, async ({ repository, requireMapping }) => {
    const mapping = requireMapping(name)
    const { view } = mappingLinks(repository.links, mapping.links)
    const { result, total } = await repository.links.query({
      filter: { kind: 'compare', operator: 'eq', pointer: ['linkType'], value: mapping.links.type },
      pageSize: options.limit,
      total: true,
    })
    const rows = result.map((link) => ({ ...view(link), linkQualifier: link.linkQualifier }))
    if (options.json) {
      const entries = rows.map(({ sourceId, targetId, linkQualifier }) => ({
        sourceId,
        targetId,
        linkQualifier,
      }))
      console.log(JSON.stringify({ mapping: name, total, links: entries }, null, 2))
      return 0
    }
    const lines = rows.map(({ sourceId, targetId, linkQualifier }) => [
      sourceId,
      '→',
      targetId,
      linkQualifier,
    ])
    console.log(table([[mapping.source, '', mapping.target, 'qualifier'], ...lines]))
    console.log(`\n  ${rows.length} of ${total} links`)
    return 0
  })
}
