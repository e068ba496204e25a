/** The project examples/hr-to-directory, as tests look at it. */
import type { RunObject } from './project.ts'

export const users = 'hrAccount_managedUser'
export const accounts = 'managedUser_directoryAccount'
export const files = ['data/hr.csv', 'data/directory.csv']

export const counted = (run: RunObject) =>
  Object.fromEntries(Object.entries(run.situationSummary).filter(([, count]) => count > 0))
