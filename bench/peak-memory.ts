/** Preloaded into a measured process: on exit it notes its peak resident memory, in KiB, and its CPU time, in µs, where it was told to. */
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env.BENCH_PEAK_FILE
  if (!file) return
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  writeFileSync(file, JSON.stringify([maxRSS, userCPUTime + systemCPUTime]))
})
