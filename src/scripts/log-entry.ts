import type { Json } from '../model/json.ts'

/** `logger.info('{} has no mail', id)` as one line (platform §7.3). */
const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof levels)[number]

export function logLevel(value: unknown): LogLevel {
  return levels.find((level) => level === value) ?? 'info'
}

/** Each `{}` is replaced by one argument; the others follow at the end. */
export function logMessage(format: Json | undefined, args: readonly Json[]): string {
  const rest = args.map(shown)
  const text = shown(format ?? null).replace(/\{\}/g, (placeholder) => rest.shift() ?? placeholder)
  return [text, ...rest].join(' ').slice(0, longest)
}

/** A script may log a whole object set by mistake. */
const longest = 16_384

function shown(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
