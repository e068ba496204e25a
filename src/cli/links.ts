import type { Command } from 'commander'
import { mappingLinks } from '../sync/page/links.ts'
import { withMapping } from './application.ts'
import { type Exit, example, type ProjectOptions, wholeNumber, withProjectOptions } from './options.ts'
import { table } from './style.ts'

interface LinksOptions extends ProjectOptions {
  readonly limit: number
}

export function addLinks(program: Command, exit: Exit): void {
  const command = withProjectOptions(program.command('links <mapping>'))
    .description("Show a mapping's links: which source object belongs to which target object.")
    .option('--limit <n>', 'show at most n links', wholeNumber, 1000)
    .action(exit(links))
  example(command, 'syncline links hrAccount_managedUser --project examples/hr-to-directory --limit 5')
}

async function links(name: string, options: LinksOptions): Promise<number> {
  return withMapping(options, name, async ({ repository, requireMapping }) => {
    const mapping = requireMapping(name)
    const { view } = mappingLinks(repository.links, mapping.links)
    const { result, total } = await repository.links.query({
      filter: { kind: 'compare', operator: 'eq', pointer: ['linkType'], value: mapping.links.type },
      pageSize: options.limit,
      total: true,
    })
    const found = result.map((link) => {
      const { sourceId, targetId } = view(link)
      return { sourceId, targetId, linkQualifier: link.linkQualifier }
    })
    if (options.json) console.log(JSON.stringify({ mapping: name, total, links: found }, null, 2))
    else {
      const rows = found.map((link) => [link.sourceId, '→', link.targetId, link.linkQualifier])
      console.log(table([[mapping.source, '', mapping.target, 'qualifier'], ...rows]))
      console.log(`\n  ${found.length} of ${total} links`)
    }
    return 0
  })
}
