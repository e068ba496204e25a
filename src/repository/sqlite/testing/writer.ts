/**
 * A process of its own for tests: `writer.ts file transactions`. Each transaction stores one object and one link and is
 * reported as `committed n`; one more is begun, reported as `inside`, and ends when standard input does.
 */
import { once } from 'node:events'
import type { Store } from '../../repository.ts'
import { openSqlite } from '../open.ts'

const [file = '', transactions = '0'] = process.argv.slice(2)
await using repository = await openSqlite(file)

for (let n = 0; n < Number(transactions); n++) {
  await repository.transaction((store) => write(store, n))
  process.stdout.write(`committed ${n + 1}\n`)
}
await repository.transaction(async (store) => {
  await write(store, Number(transactions))
  process.stdout.write('inside\n')
  process.stdin.resume()
  await once(process.stdin, 'end')
})

async function write(store: Store, n: number): Promise<void> {
  const id = String(n)
  await store.objects.write('managed/user', [
    { operation: 'create', id, content: { n, padding: 'x'.repeat(500) } },
  ])
  await store.links.insert([
    { _id: id, linkType: 'hr_user', linkQualifier: 'default', firstId: id, secondId: id },
  ])
}
