/** Where a part of the server reports what happens: one line, without secrets. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void
