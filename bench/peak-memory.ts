/** Preloaded into a measured process: on exit it notes its peak resident memory, in KiB, where it was told to. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env.BENCH_PEAK_FILE
  if (file) writeFileSync(file, String(process.resourceUsage().maxRSS))
})
