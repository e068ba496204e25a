/** The project examples/hr-to-directory, as tests look at it. */
import { type RunObject, run as runProgram, type TestProject } from './project.ts'

export const users = 'hrAccount_managedUser'
export const accounts = 'managedUser_directoryAccount'
export const files = ['data/hr.csv', 'data/directory.csv']

export const counted = (run: RunObject) =>
  Object.fromEntries(Object.entries(run.situationSummary).filter(([, count]) => count > 0))

export interface Plan {
  readonly entries: readonly {
    action: string
    situation: string
    writes: boolean
    changes: { pointer: string[] }[]
  }[]
  readonly run: RunObject
}

/** Plays the HR department. */
export function editExample(project: TestProject, ...args: readonly string[]): void {
  const { code, err } = runProgram(process.execPath, ['edit.js', ...args], {}, { cwd: project.folder })
  if (code !== 0) throw new Error(err)
}
