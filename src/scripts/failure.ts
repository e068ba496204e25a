import { Problem } from '../model/problem.ts'

/** An error of the host as a script sees it: the fields of an error answer, never a stack. */
export function refusalOf(error: unknown): { code: number; message: string; detail?: unknown } {
  if (!(error instanceof Problem))
    return { code: 500, message: error instanceof Error ? error.message : String(error) }
  const { status, message, detail } = error
  return detail === undefined ? { code: status, message } : { code: status, message, detail }
}
