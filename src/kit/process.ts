import { readFileSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import type { JsonObject } from '../model/json.ts'

/**
 * Which process holds a lease, and whether it is known to have ended: the store outlives processes. Pids are reused, after
 * a restart of the machine and in containers immediately; the start times distinguish them.
 */
export function thisProcess(): JsonObject {
  const born = birthOf(process.pid)
  const boot = bootId()
  return {
    pid: process.pid,
    host: hostname(),
    booted: bootTime(),
    ...(boot === undefined ? {} : { boot }),
    started: performance.timeOrigin,
    ...(born === undefined ? {} : { born }),
  }
}

/** True if a process, as described by `thisProcess`, is known to have ended. Of other machines nothing is known. */
export function isGone(other: JsonObject): boolean {
  if (other.host !== hostname()) return false
  if (!isOfThisStart(other)) return true
  if (other.pid === process.pid) return other.started !== performance.timeOrigin
  const pid = Number(other.pid)
  if (!isRunning(pid)) return true
  const born = birthOf(pid)
  return born !== undefined && other.born !== undefined && born !== other.born
}

/** A process, as `thisProcess` described it. */
export function inWords({ pid, host }: JsonObject): string {
  return host === hostname() ? `process ${pid}` : `process ${pid} of ${host}`
}

/**
 * How this start of the machine is called, by the kernel: the same in every process, whatever becomes of the clock. Undefined where
 * the kernel gives no name.
 */
function bootId(): string | undefined {
  try {
    bootName ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    bootName = ''
  }
  return bootName || undefined
}

let bootName: string | undefined

/** Seconds since 1970; the same at every call until the machine restarts, give or take a clock's correction. */
function bootTime(): number {
  return Math.round(Date.now() / 1000 - uptime())
}

/** True if the machine has not restarted since the process described itself. Its clock may have been set meanwhile. */
function isOfThisStart({ boot, booted }: JsonObject): boolean {
  const known = bootId()
  if (known !== undefined && boot !== undefined) return boot === known
  return Math.abs(Number(booted) - bootTime()) <= 60
}

/** Milliseconds since the machine started, for all its processes alike, whatever becomes of the clock. */
export function sinceBoot(): number {
  return Math.round(uptime() * 1000)
}

/** True if a process, as described by `thisProcess`, certainly has the same `sinceBoot` as this one. */
export function sharesBoot({ host, boot }: JsonObject): boolean {
  return host === hostname() && boot !== undefined && boot === bootId()
}

/** Also true if the process belongs to another user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * The start time of a process, in units of the kernel (proc(5), field 22 of stat). `dead` for a zombie, which still answers
 * signals. Undefined if there is no such file system.
 */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is a name in parentheses, of whatever characters.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'dead' : fields[19]
  } catch {
    return undefined
  }
}
