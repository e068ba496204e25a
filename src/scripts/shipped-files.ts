import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Scripts that OpenIDM ships and stock configurations name, written anew: under the names by which they are required, and as files
 * relative to its script folder. A file of the project with the same name has precedence. What the server does itself is not here:
 * a mapping or a type that names it needs no script.
 */
const folder = new URL('./shipped/', import.meta.url)

const files: readonly string[] = [
  'audit/autoPurgeAuditRecon.js',
  'crypto.js',
  'linkedView.js',
  'postDelete-idp-cleanup.js',
  'roles/conditionalRoles.js',
  'roles/onSync-assignments.js',
  'roles/onSync-roles.js',
  'ui/bindBehavior.js',
  'ui/onCreateUser.js',
  'ui/onDelete-user-cleanup.js',
  'ui/onUpdateUser.js',
  'ui/resetPassword.js',
  'ui/unBindBehavior.js',
  'workflow/triggerWorkflowFromSync.js',
]

/** Newer configurations have some of them without their folder. */
const otherNames: Readonly<Record<string, string>> = {
  'onCreateUser.js': 'ui/onCreateUser.js',
  'onUpdateUser.js': 'ui/onUpdateUser.js',
  'onDelete-user-cleanup.js': 'ui/onDelete-user-cleanup.js',
  'resetPassword.js': 'ui/resetPassword.js',
}

/** Whole libraries, as they are published. */
const { resolve } = createRequire(import.meta.url)
const libraries: Readonly<Record<string, string>> = {
  'lib/lodash.js': resolve('lodash/lodash.js'),
  'lib/handlebars.js': resolve('handlebars/dist/handlebars.min.js'),
}

/** The file that a script requires; undefined if OpenIDM ships none of this name that is needed here. */
export function shippedModule(name: string): string | undefined {
  const file = name.endsWith('.js') ? name : `${name}.js`
  return Object.hasOwn(libraries, file) ? libraries[file] : pathOf(file)
}

/** The text of a file that a script object names. */
export function shippedScript(file: string): string | undefined {
  const path = pathOf(file.replace(/^(?:bin\/defaults\/)?script\//, ''))
  return path === undefined ? undefined : readFileSync(path, 'utf8')
}

function pathOf(file: string): string | undefined {
  const known = (Object.hasOwn(otherNames, file) ? otherNames[file] : undefined) ?? file
  return files.includes(known) ? fileURLToPath(new URL(known, folder)) : undefined
}
