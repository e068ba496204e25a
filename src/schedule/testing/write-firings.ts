/** Writes firings.json anew. firings.slow.test.ts tells when that is needed. */
import { writeFileSync } from 'node:fs'
import { references, spansOf } from './firings.ts'

const spans = references.map(spansOf).map((some) => `  ${JSON.stringify(some)}`)
writeFileSync(new URL('firings.json', import.meta.url), `[\n${spans.join(',\n')}\n]\n`)
